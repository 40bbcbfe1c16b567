//! The configuration of a PE in parts, so that a test changes what it is about.

use std::{collections::BTreeMap, fmt};

/// A configuration file of `containerlab/l3vpn`.
#[derive(Clone)]
pub(crate) struct Config {
    /// All before the VRFs.
    pub(crate) head: String,
    /// A list item of `vrfs` each, by name.
    vrfs: BTreeMap<String, String>,
    /// All behind them.
    tail: String,
}

impl Config {
    pub(crate) fn parse(text: &str) -> Self {
        let (head, rest) = text.split_once("vrfs:\n").unwrap();
        let (vrfs, tail) = rest.split_once("underlayRoutes:").unwrap();
        let items = vrfs.split("  - name: ").skip(1);
        let vrfs = items.map(|item| (item.lines().next().unwrap().to_owned(), format!("  - name: {item}")));
        Self { head: head.to_owned(), vrfs: vrfs.collect(), tail: format!("underlayRoutes:{tail}") }
    }

    /// Adds a VRF, or replaces the one of that name.
    pub(crate) fn with_vrf(mut self, vrf: &Vrf) -> Self {
        self.vrfs.insert(vrf.name.to_owned(), vrf.to_string());
        self
    }

    pub(crate) fn without_vrf(mut self, name: &str) -> Self {
        self.vrfs.remove(name).unwrap();
        self
    }

    /// Replaces text of a VRF, which must be there.
    pub(crate) fn edit_vrf(mut self, name: &str, from: &str, to: &str) -> Self {
        let vrf = self.vrfs.get_mut(name).unwrap();
        *vrf = replaced(vrf, from, to);
        self
    }

    /// Replaces text in front of the VRFs, which must be there.
    pub(crate) fn edit_head(mut self, from: &str, to: &str) -> Self {
        self.head = replaced(&self.head, from, to);
        self
    }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from:?} in:\n{text}");
    text.replace(from, to)
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vrfs: String = self.vrfs.values().map(String::as_str).collect();
        write!(f, "{}vrfs:\n{vrfs}{}", self.head, self.tail)
    }
}

/// A VRF that imports what it exports.
pub(crate) struct Vrf<'a> {
    pub(crate) name: &'a str,
    /// Route distinguisher; `auto` has the agent choose.
    pub(crate) rd: &'a str,
    pub(crate) target: &'a str,
    /// Interface and addresses.
    pub(crate) circuit: Option<(&'a str, &'a [&'a str])>,
}

impl fmt::Display for Vrf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rd, target, circuit } = self;
        writeln!(f, "  - name: {name}\n    rd: \"{rd}\"")?;
        writeln!(f, "    importRouteTargets: [\"{target}\"]\n    exportRouteTargets: [\"{target}\"]")?;
        if let Some((interface, addresses)) = circuit {
            writeln!(
                f,
                "    attachmentCircuits: [ {{ interface: {interface}, addresses: {addresses:?} }} ]"
            )?;
        }
        writeln!(f, "    redistribute: [connected]")
    }
}
