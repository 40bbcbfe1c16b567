use futures_util::{StreamExt, TryStreamExt};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use rtnetlink::MulticastGroup;
use tokio::sync::mpsc;

use super::{Kernel, KernelError};

/// An interface as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Name.
    pub(crate) name: String,
    /// Kernel's index.
    pub(crate) index: u32,
    /// MAC address, zero where it has none.
    pub(crate) mac: [u8; 6],
    /// MTU in octets.
    pub(crate) mtu: u32,
    /// Administratively up and with carrier.
    pub(crate) up: bool,
}

impl Kernel {
    /// Every interface of this network namespace.
    pub(crate) async fn links(&self) -> Result<Vec<Link>, KernelError> {
        self.handle
            .link()
            .get()
            .execute()
            .try_filter_map(async |message| Ok(Link::from_message(&message)))
            .try_collect()
            .await
            .map_err(KernelError::refused("list interfaces"))
    }
}

impl Link {
    fn from_message(message: &LinkMessage) -> Option<Self> {
        let mut link = Self {
            name: String::new(),
            index: message.header.index,
            mac: [0; 6],
            mtu: 0,
            up: message.header.flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
        };
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name.clone_from(name),
                LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
                LinkAttribute::Address(mac) => link.mac = mac.as_slice().try_into().unwrap_or_default(),
                _ => {}
            }
        }
        (!link.name.is_empty()).then_some(link)
    }
}

pub(super) fn watch() -> Result<mpsc::Receiver<()>, KernelError> {
    let (connection, handle, mut messages) = rtnetlink::new_multicast_connection(&[MulticastGroup::Link])?;
    tokio::spawn(connection);
    // One waiting message is enough: the receiver reads the whole state anew.
    let (changed, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _kept_open = handle;
        while messages.next().await.is_some() {
            if let Err(mpsc::error::TrySendError::Closed(())) = changed.try_send(()) {
                break;
            }
        }
    });
    Ok(receiver)
}
