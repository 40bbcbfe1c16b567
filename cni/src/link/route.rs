use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures_util::TryStreamExt;
use ipnet::IpNet;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteScope, RouteVia};
use rtnetlink::RouteMessageBuilder;

use super::{Interface, LinkError, Links};

/// A route by way of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) to: IpNet,
    /// `None`: on the link.
    pub(crate) via: Option<IpAddr>,
}

impl Links {
    pub(crate) fn add_route(&self, interface: &Interface, hop: Hop) -> Result<(), LinkError> {
        let Hop { to, via } = hop;
        let what = format!("add the route to {to} by {}", interface.name);
        let builder = RouteMessageBuilder::<IpAddr>::new().output_interface(interface.index);
        let route = builder.destination_prefix(to.addr(), to.prefix_len()).and_then(|builder| match via {
            Some(via) => builder.gateway(via),
            None => Ok(builder.scope(RouteScope::Link)),
        });
        // Refused for families that differ, which the routes here do not.
        let route = route.map_err(|error| rtnetlink::Error::InvalidNla(error.to_string()));
        let add = |route: RouteMessageBuilder<IpAddr>| {
            self.runtime.block_on(self.handle.route().add(route.build()).execute())
        };
        route.and_then(add).map_err(LinkError::refused(what))
    }

    /// The routes that lead by an interface.
    pub(crate) fn routes(&self, interface: &Interface) -> Result<Vec<Hop>, LinkError> {
        let queries =
            [RouteMessageBuilder::<Ipv4Addr>::new().build(), RouteMessageBuilder::<Ipv6Addr>::new().build()];
        let mut hops = Vec::new();
        for query in queries {
            let messages =
                self.runtime.block_on(self.handle.route().get(query).execute().try_collect::<Vec<_>>());
            let messages = messages.map_err(LinkError::refused("list the container's routes"))?;
            hops.extend(messages.iter().filter_map(|message| hop(message, interface.index)));
        }
        Ok(hops)
    }
}

fn hop(message: &RouteMessage, interface: u32) -> Option<Hop> {
    let (mut to, mut via, mut by) = (None, None, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => to = plain(address),
            RouteAttribute::Gateway(address) => via = plain(address),
            RouteAttribute::Via(RouteVia::Inet6(address)) => via = Some(IpAddr::V6(*address)),
            RouteAttribute::Oif(index) => by = Some(*index),
            _ => {}
        }
    }
    let any = if message.header.address_family == netlink_packet_route::AddressFamily::Inet {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    } else {
        IpAddr::V6(Ipv6Addr::UNSPECIFIED)
    };
    let to = IpNet::new(to.unwrap_or(any), message.header.destination_prefix_length).ok()?;
    (by == Some(interface)).then_some(Hop { to, via })
}

const fn plain(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some(IpAddr::V4(*address)),
        RouteAddress::Inet6(address) => Some(IpAddr::V6(*address)),
        _ => None,
    }
}
