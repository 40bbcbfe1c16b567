use futures_util::TryStreamExt;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use rtnetlink::{LinkMessageBuilder, LinkUnspec};

use super::{LinkError, Links};

/// "No such device".
const ENODEV: i32 = 19;

/// An interface as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) index: u32,
    pub(crate) name: String,
    pub(crate) mac: [u8; 6],
    pub(crate) mtu: u32,
    pub(crate) up: bool,
    /// Index of the bridge that it is a port of.
    pub(crate) master: Option<u32>,
    /// Index of the other end of a veth pair.
    pub(super) peer: Option<u32>,
    pub(super) is_veth: bool,
}

impl Links {
    /// The interface of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Interface>, LinkError> {
        self.get(LinkUnspec::new_with_name(name), name)
    }

    /// The interface of this index.
    pub(super) fn at(&self, index: u32) -> Result<Option<Interface>, LinkError> {
        self.get(LinkUnspec::new_with_index(index), &index.to_string())
    }

    /// No error where it is not there. Both ends of a veth pair go.
    pub(crate) fn delete(&self, name: &str) -> Result<(), LinkError> {
        let message = LinkUnspec::new_with_name(name).build();
        match self.runtime.block_on(self.handle.link().del_with_message(message).execute()) {
            Err(rtnetlink::Error::NetlinkError(error)) if error.raw_code() == -ENODEV => Ok(()),
            deleted => deleted.map_err(LinkError::refused(format!("delete interface {name}"))),
        }
    }

    /// Nothing larger than that leaves by the interface.
    pub(crate) fn lower_mtu(&self, interface: &Interface, mtu: u32) -> Result<(), LinkError> {
        if interface.mtu <= mtu {
            return Ok(());
        }
        let what = format!("set the MTU of {} to {mtu}", interface.name);
        self.change(LinkUnspec::new_with_index(interface.index).mtu(mtu), what)
    }

    pub(crate) fn set_up(&self, interface: &Interface) -> Result<(), LinkError> {
        let what = format!("set {} up", interface.name);
        self.change(LinkUnspec::new_with_index(interface.index).up(), what)
    }

    fn change(&self, change: LinkMessageBuilder<LinkUnspec>, what: String) -> Result<(), LinkError> {
        let request = self.handle.link().change(change.build());
        self.runtime.block_on(request.execute()).map_err(LinkError::refused(what))
    }

    fn get(&self, by: LinkMessageBuilder<LinkUnspec>, what: &str) -> Result<Option<Interface>, LinkError> {
        let mut request = self.handle.link().get();
        let wanted = by.build();
        request = match wanted.attributes.into_iter().find_map(name) {
            Some(name) => request.match_name(name),
            None => request.match_index(wanted.header.index),
        };
        let found = self.runtime.block_on(async {
            let mut links = std::pin::pin!(request.execute());
            links.try_next().await
        });
        match found {
            Ok(found) => Ok(found.map(Interface::from)),
            Err(rtnetlink::Error::NetlinkError(error)) if error.raw_code() == -ENODEV => Ok(None),
            Err(error) => Err(LinkError::refused(format!("look for interface {what}"))(error)),
        }
    }
}

fn name(attribute: LinkAttribute) -> Option<String> {
    if let LinkAttribute::IfName(name) = attribute { Some(name) } else { None }
}

impl From<LinkMessage> for Interface {
    fn from(message: LinkMessage) -> Self {
        let up = message.header.flags.contains(LinkFlags::Up);
        let mut it = Self { index: message.header.index, up, ..Self::default() };
        for attribute in message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => it.name = name,
                LinkAttribute::Mtu(mtu) => it.mtu = mtu,
                LinkAttribute::Address(octets) => it.mac = octets.try_into().unwrap_or_default(),
                LinkAttribute::Controller(index) => it.master = Some(index).filter(|index| *index != 0),
                LinkAttribute::Link(index) => it.peer = Some(index),
                LinkAttribute::LinkInfo(infos) => {
                    it.is_veth = infos.contains(&LinkInfo::Kind(InfoKind::Veth))
                }
                _ => {}
            }
        }
        it
    }
}
