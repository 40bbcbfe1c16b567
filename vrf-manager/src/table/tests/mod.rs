mod adoption;
mod lingering;
mod property;
mod selection;
mod transition;

use std::net::Ipv6Addr;

use bgp_core::config::PeerId;
use srv6_types::{Behavior, Sid};

use super::*;
use crate::{
    Allocations, Links,
    intent::{Intent, Vrf},
    testing::{intent, links, replan},
};

const RED: VrfId = VrfId(1);
const BLUE: VrfId = VrfId(2);

/// An agent as far as the tables see it: what they say is applied to a state.
struct Pe {
    tables: VrfTables,
    dataplane: State,
    allocations: Allocations,
    links: Links,
}

impl Pe {
    fn new(vrfs: Vec<Vrf>, interfaces: &[&str]) -> Self {
        let mut pe = Self {
            tables: VrfTables::default(),
            dataplane: State::default(),
            allocations: Allocations::default(),
            links: links(interfaces),
        };
        pe.configure(&intent(vrfs));
        pe
    }

    fn configure(&mut self, intent: &Intent) -> Transition {
        let desired = replan(intent, &self.links, &mut self.allocations);
        let transition = self.tables.replan(&desired);
        self.apply(transition.make.iter().chain(&transition.remove));
        transition
    }

    /// What lingers goes.
    fn let_go(&mut self) -> Vec<Change> {
        let gone = self.tables.let_go();
        self.apply(&gone);
        gone
    }

    /// Starts the agent again on what the dataplane holds.
    fn restart(&mut self, intent: &Intent) -> Transition {
        self.tables = VrfTables::adopt(self.dataplane.clone());
        self.configure(intent)
    }

    fn learn(&mut self, vrf: VrfId, prefix: &str, path: Option<VpnPath>) -> Option<Change> {
        let change = self.tables.learn(&VrfRoute { vrf, prefix: prefix.parse().unwrap(), path });
        self.apply(&change);
        change
    }

    fn apply<'a>(&mut self, changes: impl IntoIterator<Item = &'a Change>) {
        changes.into_iter().for_each(|change| self.dataplane.apply(change).unwrap());
    }

    fn route(&self, vrf: VrfId, prefix: &str) -> Option<NextHop> {
        self.dataplane.routes.get(&(vrf, prefix.parse().unwrap())).cloned()
    }

    fn reason(&self, vrf: VrfId, prefix: &str) -> Option<Unusable> {
        let prefix: IpNet = prefix.parse().unwrap();
        self.tables.candidates(vrf).find(|c| c.prefix == prefix)?.outcome.err()
    }
}

fn sid(text: &str) -> Sid {
    Sid::from(text.parse::<Ipv6Addr>().unwrap())
}

/// From the PE whose SID it is.
fn path(service: &str) -> VpnPath {
    VpnPath {
        sid: Some(sid(service)),
        behavior: Behavior::END_DT46,
        next_hop: "2001:db8::2".parse().unwrap(),
        peer: PeerId(1),
        local: None,
        external: false,
        stale: false,
    }
}

fn encapsulate(service: &str) -> NextHop {
    NextHop::Encapsulate { segments: vec![sid(service)], reduced: true }
}
