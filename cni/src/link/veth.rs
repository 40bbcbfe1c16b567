use netlink_packet_route::link::{InfoData, InfoVeth, LinkAttribute};
use rtnetlink::{LinkUnspec, LinkVeth};

use super::{Interface, LinkError, Links, Netns};

/// A veth pair between the node and a container.
pub(crate) struct Veth {
    pub(crate) node: Interface,
    pub(crate) container: Interface,
}

impl Veth {
    /// The pair that a container's interface is of: its other end by the index that the kernel tells in the container, and only if
    /// that one tells the same of the first.
    pub(crate) fn find(node: &Links, container: &Links, name: &str) -> Result<Self, LinkError> {
        let inside = container.find(name)?.ok_or_else(|| LinkError::NoInterface(name.to_owned()))?;
        let none = || LinkError::NoVeth(name.to_owned());
        let outside = node.at(inside.peer.ok_or_else(none)?)?.ok_or_else(none)?;
        let pair = inside.is_veth && outside.is_veth && outside.peer == Some(inside.index);
        if pair { Ok(Self { node: outside, container: inside }) } else { Err(none()) }
    }

    /// Makes a pair with the container's end in its place from the beginning.
    pub(crate) fn make(
        node: &Links,
        host: &str,
        netns: &Netns,
        name: &str,
        mtu: u32,
    ) -> Result<(), LinkError> {
        let peer = LinkUnspec::new_with_name(name)
            .mtu(mtu)
            .append_extra_attribute(LinkAttribute::NetNsFd(netns.fd()))
            .build();
        let pair =
            LinkVeth::new(host, name).mtu(mtu).set_info_data(InfoData::Veth(InfoVeth::Peer(peer))).build();
        let made = node.runtime.block_on(node.handle.link().add(pair).execute());
        made.map_err(LinkError::refused(format!("make the veth pair of {host}, and {name} in the container")))
    }
}
