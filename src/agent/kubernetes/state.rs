//! What the NodeState says.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use k8s_sync::{
    api::{FamilyState, LocatorState, NodeStateStatus, ObjectState, SessionState, VrfState},
    render::{Problem, Rendered},
    status::{Facts, Timestamp, conditions},
    world::World,
};
use vrf_manager::view::VrfView;

use super::Kubernetes;
use crate::{agent::node::Node, report::Neighbor};

/// Uptimes are told in whole seconds: the moment that they begin at seems to move by one.
const ROUNDING: Duration = Duration::from_secs(2);

/// Since when sessions are up.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<IpAddr, SystemTime>);

impl Sessions {
    fn since(&mut self, neighbor: &Neighbor, now: SystemTime) -> Option<String> {
        let Some(up) = neighbor.uptime_seconds else {
            self.0.remove(&neighbor.address);
            return None;
        };
        let since = now - Duration::from_secs(up);
        let known = self.0.entry(neighbor.address).or_insert(since);
        let moved = known.duration_since(since).or_else(|_| since.duration_since(*known));
        if moved.is_ok_and(|moved| moved > ROUNDING) {
            *known = since;
        }
        Timestamp::try_from(*known).ok().map(|since| format!("{since:.0}"))
    }

    fn state(&mut self, neighbor: &Neighbor, now: SystemTime) -> SessionState {
        let families = neighbor.families.iter().map(|counts| FamilyState {
            family: counts.family.clone(),
            received: counts.received,
            accepted: counts.accepted,
            advertised: counts.advertised,
        });
        SessionState {
            peer: neighbor.address.to_string(),
            peer_asn: neighbor.asn,
            state: neighbor.state.clone(),
            since: self.since(neighbor, now),
            last_error: neighbor.last_error.clone(),
            families: families.collect(),
        }
    }
}

impl Kubernetes {
    /// Why there is no node yet, in words.
    pub(in crate::agent) fn waiting_for(&self) -> String {
        self.refusal()
            .map_or_else(|| "the API server has not told everything yet".to_owned(), ToString::to_string)
    }

    /// Nothing is told before the API server has: the NodeState says what an earlier life had, which goes on meanwhile.
    pub(super) fn tell_waiting(&mut self) {
        let Some(refusal) = self.refusal() else { return };
        let facts = Facts { configured: Err(refusal), dataplane_in_step: false, sessions: &[] };
        self.writer.write(NodeStateStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            conditions: conditions(&facts, Timestamp::now()),
            objects: self.objects(),
            ..NodeStateStatus::default()
        });
    }

    pub(super) async fn tell(&mut self, node: &Node) {
        // The speaker is gone only when we stop.
        let Ok(neighbors) = node.neighbors().await else { return };
        let now = SystemTime::now();
        let sessions: Vec<_> = neighbors.iter().map(|neighbor| self.sessions.state(neighbor, now)).collect();
        let facts = Facts {
            configured: self.refusal().map_or(Ok(()), Err),
            dataplane_in_step: node.in_step(),
            sessions: &sessions,
        };
        let conditions = conditions(&facts, Timestamp::now());
        let generations = self.verdict.as_ref().map(|verdict| &verdict.generations);
        let locators = node.intent.srv6.locators.iter();
        self.writer.write(NodeStateStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            router_id: Some(node.intent.router.router_id.to_string()),
            local_asn: Some(node.intent.router.asn),
            source_address: Some(node.intent.srv6.source.to_string()),
            conditions,
            locators: locators
                .map(|it| LocatorState { name: it.name.clone(), prefix: it.locator.to_string() })
                .collect(),
            vrfs: node.tables.vrf_views().into_iter().map(|view| vrf(view, generations)).collect(),
            objects: self.objects(),
            problems: node.tables.problem_views(),
            sessions,
            ..NodeStateStatus::default()
        });
    }

    /// Why there is no intent.
    fn refusal(&self) -> Option<&Problem> {
        self.verdict.as_ref().and_then(|verdict| verdict.refusal.as_ref())
    }

    /// Objects that the node does not hold as they are.
    fn objects(&self) -> Vec<ObjectState> {
        self.verdict.as_ref().map(|verdict| verdict.objects.clone()).unwrap_or_default()
    }
}

/// What was found out about a world. The world itself is let go of: it is shared with who follows the API server.
pub(super) struct Verdict {
    pub(super) problems: Vec<Problem>,
    refusal: Option<Problem>,
    objects: Vec<ObjectState>,
    /// Of VRFs.
    generations: BTreeMap<String, i64>,
}

impl Verdict {
    pub(super) fn of(rendered: &Rendered, world: &World) -> Self {
        let object = |Problem { object, reason, message }: &Problem| ObjectState {
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            observed_generation: world.generation(object).unwrap_or_default(),
            reason: reason.to_string(),
            message: message.clone(),
        };
        Self {
            objects: rendered.problems.iter().map(object).collect(),
            problems: rendered.problems.clone(),
            refusal: rendered.intent.as_ref().err().cloned(),
            generations: world.vrfs.iter().map(|(name, vrf)| (name.clone(), vrf.generation)).collect(),
        }
    }
}

fn vrf(view: VrfView, generations: Option<&BTreeMap<String, i64>>) -> VrfState {
    let known = generations.and_then(|generations| generations.get(&view.name));
    let up =
        view.circuits.iter().filter(|circuit| circuit.state == vrf_manager::plan::CircuitState::Up).count();
    VrfState {
        observed_generation: known.copied().unwrap_or_default(),
        rd: view.rd,
        sids: view.sids.iter().map(|sid| sid.sid.to_string()).collect(),
        circuits: u32::try_from(up).unwrap_or(u32::MAX),
        routes: u32::try_from(view.routes.programmed).unwrap_or(u32::MAX),
        problems: view.problems,
        name: view.name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbor(uptime: Option<u64>) -> Neighbor {
        let state = if uptime.is_some() { "Established" } else { "Active" };
        let neighbor = serde_json::json!({
            "address": "2001:db8::1", "asn": 65000, "description": "", "state": state, "uptimeSeconds": uptime,
            "capabilities": [], "families": [], "stale": [], "messagesReceived": 0, "messagesSent": 0
        });
        serde_json::from_value(neighbor).unwrap()
    }

    /// Else each report would differ from the one before, and a session would seem to have come up anew.
    #[test]
    fn a_session_is_up_since_one_moment() {
        let (mut sessions, start) =
            (Sessions::default(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
        let mut since =
            |after: u64, uptime| sessions.since(&neighbor(uptime), start + Duration::from_millis(after));
        let first = since(0, Some(10));
        assert_eq!(first.as_deref(), Some("1970-01-12T13:46:30Z"));
        assert_eq!(since(2_900, Some(12)), first, "whole seconds are a rounding");
        assert_eq!(since(60_100, Some(70)), first);
        assert_eq!(since(61_000, None), None);
        assert_eq!(since(70_000, Some(4)).as_deref(), Some("1970-01-12T13:47:46Z"), "it was down in between");
        assert_eq!(
            since(100_000, Some(20)).as_deref(),
            Some("1970-01-12T13:48:00Z"),
            "it was down between reports"
        );
    }
}
