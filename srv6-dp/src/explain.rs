//! Which way a packet of a VRF goes, from the [`State`] alone: what the CLI shows.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use srv6_types::VrfId;

use crate::model::{NextHop, State};

/// Most tables that one packet is looked up in: the programs follow four leaks.
const MAX_LOOKUPS: usize = 5;

/// One step of a packet's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A route of the table matched.
    Matched {
        /// The table.
        vrf: VrfId,
        /// The longest matching prefix.
        prefix: IpNet,
        /// Where it leads.
        next_hop: NextHop,
    },
    /// The table has no route.
    NoRoute(VrfId),
    /// Led from table to table more often than the programs follow.
    LeakLoop,
}

/// The way of a packet to `destination` in the table of `vrf`; the last step says what becomes of it.
pub fn explain(state: &State, vrf: VrfId, destination: IpAddr) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut table = vrf;
    for _ in 0..MAX_LOOKUPS {
        let Some((prefix, next_hop)) = state.longest_match(table, destination) else {
            steps.push(Step::NoRoute(table));
            return steps;
        };
        steps.push(Step::Matched { vrf: table, prefix, next_hop: next_hop.clone() });
        match next_hop {
            NextHop::Vrf(next) => table = *next,
            _ => return steps,
        }
    }
    steps.push(Step::LeakLoop);
    steps
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matched { vrf, prefix, next_hop } => write!(f, "VRF {vrf}: {prefix} {next_hop}"),
            Self::NoRoute(vrf) => write!(f, "VRF {vrf}: no route, dropped (no-route-in-vrf)"),
            Self::LeakLoop => f.write_str("leaked from VRF to VRF too often, dropped (leak-loop)"),
        }
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encapsulate { segments, reduced } => {
                let path: Vec<_> = segments.iter().map(ToString::to_string).collect();
                let mode = if *reduced { "H.Encaps.Red" } else { "H.Encaps" };
                write!(f, "encapsulate {} ({mode})", path.join(" then "))
            }
            Self::Gateway { interface, address } => write!(f, "via {address} on interface {}", interface.0),
            Self::Connected { interface } => write!(f, "connected on interface {}", interface.0),
            Self::Local { interface: Some(interface) } => {
                write!(f, "address of this PE on interface {}", interface.0)
            }
            Self::Local { interface: None } => f.write_str("address of this PE on every circuit"),
            Self::Service => f.write_str("a VIP of this node's services"),
            Self::Egress => f.write_str("an egress address of this PE"),
            Self::Vrf(vrf) => write!(f, "look up in VRF {vrf}"),
            Self::Unreachable => f.write_str("refused as unreachable"),
            Self::Blackhole => f.write_str("dropped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn leaking() -> State {
        let mut state = State::default();
        let encapsulate = NextHop::Encapsulate {
            segments: vec!["fc00:0:2:1::".parse::<std::net::Ipv6Addr>().unwrap().into()],
            reduced: true,
        };
        state.routes.insert((VrfId(1), prefix("10.0.0.0/8")), NextHop::Vrf(VrfId(2)));
        state.routes.insert((VrfId(2), prefix("10.0.0.0/8")), NextHop::Blackhole);
        state.routes.insert((VrfId(2), prefix("10.1.0.0/16")), encapsulate);
        state.routes.insert((VrfId(3), prefix("0.0.0.0/0")), NextHop::Vrf(VrfId(3)));
        state
    }

    #[test]
    fn follows_leaks_and_takes_the_longest_match() {
        let lines: Vec<_> = explain(&leaking(), VrfId(1), "10.1.2.3".parse().unwrap())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lines,
            [
                "VRF 1: 10.0.0.0/8 look up in VRF 2",
                "VRF 2: 10.1.0.0/16 encapsulate fc00:0:2:1:: (H.Encaps.Red)"
            ]
        );
    }

    #[test]
    fn names_the_drop_where_no_route_leads_on() {
        assert_eq!(explain(&leaking(), VrfId(1), "192.0.2.1".parse().unwrap()), [Step::NoRoute(VrfId(1))]);
        assert_eq!(explain(&leaking(), VrfId(3), "192.0.2.1".parse().unwrap()).last(), Some(&Step::LeakLoop));
    }
}
