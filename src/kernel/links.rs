use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use netlink_packet_route::link::{InfoPortKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use rtnetlink::{LinkUnspec, MulticastGroup};
use srv6_dp::model::IfIndex;
use tokio::{sync::mpsc, time::sleep};
use vrf_manager::{Links, plan::Link};

use super::{Kernel, KernelError, routes};

/// What changes within this time is told as one change.
const SETTLE: Duration = Duration::from_millis(100);

impl Kernel {
    /// Every interface of this network namespace.
    pub(crate) async fn links(&self) -> Result<Links, KernelError> {
        self.handle
            .link()
            .get()
            .execute()
            .try_filter_map(async |message| Ok(link(&message)))
            .try_collect::<Vec<_>>()
            .await
            .map(Links::from_iter)
            .map_err(KernelError::refused("list interfaces"))
    }

    /// Sets an interface up or down.
    pub(crate) async fn set_link(&self, index: IfIndex, up: bool) -> Result<(), KernelError> {
        let link = LinkUnspec::new_with_index(index.0);
        let link = if up { link.up() } else { link.down() };
        let word = if up { "up" } else { "down" };
        let done = self.handle.link().set(link.build()).execute().await;
        done.map_err(KernelError::refused(format!("set interface {} {word}", index.0)))
    }
}

/// Name and properties; `None` for a message without a name.
fn link(message: &LinkMessage) -> Option<(String, Link)> {
    let flags = message.header.flags;
    let mut name = None;
    let mut link = Link {
        index: IfIndex(message.header.index),
        mac: [0; 6],
        mtu: 0,
        up: flags.contains(LinkFlags::Up | LinkFlags::LowerUp),
        bridge_port: false,
    };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = Some(text.clone()),
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::LinkInfo(infos) => {
                link.bridge_port = infos.contains(&LinkInfo::PortKind(InfoPortKind::Bridge));
            }
            LinkAttribute::Address(mac) => link.mac = mac.as_slice().try_into().unwrap_or_default(),
            _ => {}
        }
    }
    Some((name?, link))
}

pub(super) fn watch() -> Result<mpsc::Receiver<()>, KernelError> {
    let (connection, handle, mut messages) = rtnetlink::new_multicast_connection(&[
        MulticastGroup::Link,
        MulticastGroup::Ipv4Ifaddr,
        MulticastGroup::Ipv6Ifaddr,
        MulticastGroup::Ipv4Route,
        MulticastGroup::Ipv6Route,
    ])?;
    tokio::spawn(connection);
    // One waiting message is enough: the receiver reads the whole state anew.
    let (changed, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _kept_open = handle;
        while let Some((message, _)) = messages.next().await {
            if routes::is_own_install(&message.payload) {
                continue;
            }
            if let Err(mpsc::error::TrySendError::Closed(())) = changed.try_send(()) {
                break;
            }
            sleep(SETTLE).await;
        }
    });
    Ok(receiver)
}
