use std::collections::BTreeMap;

use ipnet::IpNet;
use k8s_openapi::{api::networking::v1::NetworkPolicyPort, apimachinery::pkg::util::intstr::IntOrString};
use srv6_dp::model::Transport;

use super::{
    super::{Reason, parse::Reader},
    OfPolicy, Side,
    peer::{Far, Peers},
};
use crate::world::Protocol;

/// Which packets, whoever the far end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Traffic {
    /// IP protocol; all where it is `None`.
    pub(super) protocol: Option<u8>,
    /// Destination ports, first and last; all where it is `None`.
    pub(super) ports: Option<(u16, u16)>,
}

impl Traffic {
    pub(super) const EVERYTHING: Self = Self { protocol: None, ports: None };

    const fn to(protocol: Protocol, ports: Option<(u16, u16)>) -> Self {
        let transport = match protocol {
            Protocol::Tcp => Transport::Tcp,
            Protocol::Udp => Transport::Udp,
            Protocol::Sctp => Transport::Sctp,
        };
        Self { protocol: Some(transport.number()), ports }
    }

    /// Whether all of `other` is of this.
    pub(super) fn holds(self, other: Self) -> bool {
        let protocol = self.protocol.is_none() || self.protocol == other.protocol;
        let within = |(first, last): (u16, u16)| other.ports.is_some_and(|(a, b)| first <= a && b <= last);
        protocol && self.ports.is_none_or(within)
    }
}

/// The ports that a rule speaks of.
pub(super) enum Ports<'a> {
    /// All protocols, those without ports as well.
    Everything,
    Of(Vec<Port<'a>>),
}

/// One of the list.
pub(super) enum Port<'a> {
    Numbers(Traffic),
    /// As a container names it.
    Named(Protocol, &'a str),
}

impl<'a> Ports<'a> {
    /// An empty list is everything; one of which nothing can be read is nothing.
    pub(super) fn read(ports: &'a [NetworkPolicyPort], path: &str, reader: &mut Reader<'_>) -> Self {
        if ports.is_empty() {
            return Self::Everything;
        }
        let read = |(k, port)| {
            let read = Port::read(port);
            let path = format_args!("{path}.ports[{k}]");
            read.map_err(|problem| reader.tell(Reason::Invalid, path, problem)).ok()
        };
        Self::Of(ports.iter().enumerate().filter_map(read).collect())
    }

    /// What may pass, and to or from whom.
    pub(super) fn resolve(&self, of: &OfPolicy<'_>, peers: &Peers<'_>) -> Vec<(Traffic, Far)> {
        match self {
            Self::Everything => vec![(Traffic::EVERYTHING, peers.far())],
            Self::Of(ports) => ports.iter().flat_map(|port| port.resolve(of, peers)).collect(),
        }
    }
}

impl<'a> Port<'a> {
    fn read(port: &'a NetworkPolicyPort) -> Result<Self, String> {
        let protocol = match port.protocol.as_deref() {
            None | Some("TCP") => Protocol::Tcp,
            Some("UDP") => Protocol::Udp,
            Some("SCTP") => Protocol::Sctp,
            Some(other) => return Err(format!("{other:?} is no protocol; write TCP, UDP or SCTP")),
        };
        let number = |number: i32| {
            let in_range = u16::try_from(number).ok().filter(|number| *number != 0);
            in_range.ok_or_else(|| format!("{number} is no port; write 1 to 65535"))
        };
        match (&port.port, port.end_port) {
            (None, None) => Ok(Self::Numbers(Traffic::to(protocol, None))),
            (Some(IntOrString::String(name)), None) => Ok(Self::Named(protocol, name)),
            (Some(IntOrString::Int(first)), end) => {
                let range = (number(*first)?, number(end.unwrap_or(*first))?);
                if range.0 > range.1 {
                    return Err(format!("{}-{} is no range; write the lower port first", range.0, range.1));
                }
                Ok(Self::Numbers(Traffic::to(protocol, Some(range))))
            }
            (_, Some(_)) => {
                Err("endPort needs a number for port; write one, or leave endPort away".to_owned())
            }
        }
    }

    fn resolve(&self, of: &OfPolicy<'_>, peers: &Peers<'_>) -> Vec<(Traffic, Far)> {
        let &Self::Named(protocol, name) = self else {
            let Self::Numbers(traffic) = self else { return Vec::new() };
            return vec![(*traffic, peers.far())];
        };
        let numbered = |pod: &crate::world::Pod| {
            let port = pod.ports.get(name).filter(|port| port.protocol == protocol)?;
            Some(Traffic::to(protocol, Some((port.port, port.port))))
        };
        match of.side {
            Side::Ingress => numbered(of.pod).map(|traffic| (traffic, peers.far())).into_iter().collect(),
            Side::Egress => {
                let mut by_number = BTreeMap::<Traffic, Vec<IpNet>>::new();
                for (pod, addresses) in peers.pods() {
                    if let Some(traffic) = numbered(pod) {
                        by_number.entry(traffic).or_default().extend(addresses);
                    }
                }
                by_number.into_iter().map(|(traffic, nets)| (traffic, Far::Prefixes(nets))).collect()
            }
        }
    }
}
