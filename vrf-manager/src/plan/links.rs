use std::collections::BTreeMap;

use srv6_dp::model::IfIndex;

/// The interfaces that the kernel has, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links(pub BTreeMap<String, Link>);

/// An interface as the kernel has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The kernel's index.
    pub index: IfIndex,
    /// MAC address; zero where the interface has none.
    pub mac: [u8; 6],
    /// Layer-3 MTU in octets.
    pub mtu: u32,
    /// Set up, and not known to be without a carrier (an operational state of `unknown`, RFC 2863, counts as up:
    /// dummy and tap interfaces never have another).
    pub up: bool,
    /// A bridge has it: what comes in there is not the interface's own in the kernel.
    pub bridge_port: bool,
}

impl Links {
    /// The interface of that name.
    pub fn get(&self, name: &str) -> Option<&Link> {
        self.0.get(name)
    }
}

impl FromIterator<(String, Link)> for Links {
    fn from_iter<T: IntoIterator<Item = (String, Link)>>(links: T) -> Self {
        Self(links.into_iter().collect())
    }
}
