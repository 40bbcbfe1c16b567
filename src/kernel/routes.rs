use std::net::IpAddr;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use netlink_packet_core::NetlinkPayload;
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteType, RouteVia},
};
use rtnetlink::RouteMessageBuilder;

use super::{Kernel, KernelError};

/// Who wants a route of the underlay. It is the route's protocol in the kernel, so that after a restart the agent
/// knows its own routes from those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    /// `underlayRoutes` of the configuration.
    Static,
    /// Learnt by BGP.
    Bgp,
}

impl Origin {
    /// Protocol numbers outside of those that iproute2 gives to other daemons.
    fn of(message: &RouteMessage) -> Option<Self> {
        let protocol = message.header.protocol;
        [Self::Static, Self::Bgp]
            .into_iter()
            .find(|origin| RouteProtocol::from(origin.protocol()) == protocol)
    }

    const fn protocol(self) -> u8 {
        match self {
            Self::Static => 161,
            Self::Bgp => 162,
        }
    }

    /// The lower wins where both want a prefix: a route set by hand before one that was learnt.
    const fn metric(self) -> u32 {
        match self {
            Self::Static => 20,
            Self::Bgp => 40,
        }
    }
}

/// A route of the kernel's main table that this agent installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KernelRoute {
    /// Destination.
    pub(crate) prefix: IpNet,
    /// Next hop.
    pub(crate) via: IpAddr,
    /// Interface, where the next hop alone does not tell.
    pub(crate) ifindex: Option<u32>,
    /// Who wants it.
    pub(crate) origin: Origin,
}

impl Kernel {
    /// Installs a route, or changes its next hop.
    pub(crate) async fn set_route(&self, route: &KernelRoute) -> Result<(), KernelError> {
        self.handle
            .route()
            .add(route.message())
            .replace()
            .execute()
            .await
            .map_err(KernelError::refused(format!("route {} via {}", route.prefix, route.via)))
    }

    /// The neighbour that leads to `next_hop`, and its interface: the next hop itself where it is on a link of ours, else
    /// the gateway on the way to it (RFC 4271 section 5.1.3, recursive lookup). `None`: there is no route.
    pub(crate) async fn resolve(&self, next_hop: IpAddr) -> Result<Option<(IpAddr, u32)>, KernelError> {
        let length = if next_hop.is_ipv4() { 32 } else { 128 };
        let Ok(query) = RouteMessageBuilder::<IpAddr>::new().destination_prefix(next_hop, length) else {
            return Ok(None);
        };
        let answer = self.handle.route().get(query.build()).execute().try_next().await;
        let message = match answer {
            Ok(Some(message)) if message.header.kind == RouteType::Unicast => message,
            Ok(_) => return Ok(None),
            Err(rtnetlink::Error::NetlinkError(_)) => return Ok(None),
            Err(other) => return Err(KernelError::refused(format!("look up {next_hop}"))(other)),
        };
        let (via, ifindex) = gateway(&message);
        Ok(ifindex.map(|ifindex| (via.unwrap_or(next_hop), ifindex)))
    }

    /// Removes a route of ours; one that is gone already is no error.
    pub(crate) async fn remove_route(&self, route: &KernelRoute) -> Result<(), KernelError> {
        match self.handle.route().del(route.destination().build()).execute().await {
            Err(rtnetlink::Error::NetlinkError(e)) if e.raw_code() == -ESRCH => Ok(()),
            other => other.map_err(KernelError::refused(format!("remove route {}", route.prefix))),
        }
    }

    /// The routes of ours that are in the kernel now.
    pub(crate) async fn own_routes(&self) -> Result<Vec<KernelRoute>, KernelError> {
        let mut own = Vec::new();
        for query in [
            RouteMessageBuilder::<std::net::Ipv4Addr>::new().build(),
            RouteMessageBuilder::<std::net::Ipv6Addr>::new().build(),
        ] {
            let mut routes = self.handle.route().get(query).execute();
            while let Some(message) = routes.try_next().await.map_err(KernelError::refused("list routes"))? {
                own.extend(KernelRoute::from_message(&message));
            }
        }
        Ok(own)
    }
}

/// "No such process": the kernel's word for a route that is not there.
const ESRCH: i32 = 3;

impl KernelRoute {
    /// What names the route in the kernel: destination, protocol and metric. Its next hop may have moved meanwhile.
    fn destination(&self) -> RouteMessageBuilder<IpAddr> {
        let builder = RouteMessageBuilder::<IpAddr>::new()
            .protocol(RouteProtocol::from(self.origin.protocol()))
            .priority(self.origin.metric());
        // Refused are only prefix lengths beyond the family's, which an IpNet cannot hold.
        builder.clone().destination_prefix(self.prefix.addr(), self.prefix.prefix_len()).unwrap_or(builder)
    }

    fn message(&self) -> RouteMessage {
        let builder = self.destination();
        // Refused is only an IPv4 next hop of an IPv6 route, which the kernel then refuses for want of any.
        let builder = builder.clone().gateway(self.via).unwrap_or(builder);
        match self.ifindex {
            Some(ifindex) => builder.output_interface(ifindex).build(),
            None => builder.build(),
        }
    }

    fn from_message(message: &RouteMessage) -> Option<Self> {
        let origin = Origin::of(message)?;
        let (via, ifindex) = gateway(message);
        let destination = message.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::Destination(address) => ip(address),
            _ => None,
        });
        // The default route carries no destination.
        let any = match message.header.address_family {
            AddressFamily::Inet => IpAddr::from([0; 4]),
            _ => IpAddr::from([0; 16]),
        };
        let prefix = IpNet::new(destination.unwrap_or(any), message.header.destination_prefix_length).ok()?;
        Some(Self { prefix, via: via?, ifindex, origin })
    }
}

/// Whether the kernel tells of a route that this agent has just installed: no news to it.
pub(super) fn is_own_install(payload: &NetlinkPayload<RouteNetlinkMessage>) -> bool {
    match payload {
        NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(message)) => Origin::of(message).is_some(),
        _ => false,
    }
}

/// Next hop and interface of a route.
fn gateway(message: &RouteMessage) -> (Option<IpAddr>, Option<u32>) {
    let (mut via, mut ifindex) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Gateway(address) => via = ip(address),
            RouteAttribute::Via(RouteVia::Inet6(address)) => via = Some(IpAddr::from(*address)),
            RouteAttribute::Oif(index) => ifindex = Some(*index),
            _ => {}
        }
    }
    (via, ifindex)
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(address) => Some((*address).into()),
        RouteAddress::Inet6(address) => Some((*address).into()),
        _ => None,
    }
}
