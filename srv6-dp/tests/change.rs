//! The order of changes, on random pairs of states.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/states.rs"]
mod states;

use proptest::prelude::*;
use srv6_dp::{
    Change, State,
    model::{IfIndex, NextHop, Reach},
};
use srv6_types::VrfId;

fn any_state() -> BoxedStrategy<State> {
    states::state((1..=5).map(IfIndex).collect())
}

fn nothing_names_a_missing_vrf(state: &State) -> Result<(), TestCaseError> {
    for (sid, local) in &state.sids {
        prop_assert!(state.vrfs.contains_key(&local.vrf), "SID {} names VRF {}", sid, local.vrf);
    }
    for (interface, circuit) in &state.circuits {
        prop_assert!(
            state.vrfs.contains_key(&circuit.vrf),
            "circuit {:?} names VRF {}",
            interface,
            circuit.vrf
        );
    }
    for (id, service) in &state.services {
        prop_assert!(state.vrfs.contains_key(&id.vrf), "service {} names it", id);
        for backend in service.backends.values() {
            if let Reach::Translated(address) = backend.reach {
                let is_there = state.egress_addresses.contains_key(&(id.vrf, address));
                prop_assert!(is_there, "service {} translates to {}", id, address);
            }
        }
    }
    for ((vrf, prefix), next_hop) in &state.routes {
        prop_assert!(state.vrfs.contains_key(vrf), "route {} of VRF {}", prefix, vrf);
        if let NextHop::Vrf(next) = next_hop {
            prop_assert!(state.vrfs.contains_key(next), "route {} leaks into VRF {}", prefix, next);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_lead_from_one_state_to_the_other(from in any_state(), to in any_state()) {
        let mut state = from.clone();
        for change in Change::between(&from, &to) {
            prop_assert!(state.apply(&change).is_ok(), "{:?}", change);
            nothing_names_a_missing_vrf(&state)?;
        }
        prop_assert_eq!(state, to);
    }

    #[test]
    fn equal_states_need_no_change(state in any_state()) {
        prop_assert_eq!(Change::between(&state, &state), []);
    }

    /// RFC 8754 section 5.1: a tenant's interface is never core as well, and the guard covers both states' domains
    /// as long as a circuit and a SID are there.
    #[test]
    fn the_domain_guard_never_opens(from in any_state(), to in any_state()) {
        let mut state = from.clone();
        let changes = Change::between(&from, &to);
        for change in &changes {
            state.apply(change).unwrap();
            let both: Vec<_> = state.core.iter().filter(|i| state.circuits.contains_key(i)).collect();
            prop_assert!(both.is_empty(), "{:?} on both sides after {:?}", both, change);
            if matches!(change, Change::SetSid(..) | Change::RemoveSid(_) | Change::SetCircuit(..)) {
                prop_assert!(from.node.domain.is_subset(&state.node.domain));
                prop_assert!(to.node.domain.is_subset(&state.node.domain));
            }
        }
    }

    /// A SID draws traffic: by then every route of the new state is there, and none of the old is gone before
    /// the SIDs that need it.
    #[test]
    fn sids_come_after_all_routes_and_go_before_any(from in any_state(), to in any_state()) {
        let changes = Change::between(&from, &to);
        let last = |wanted: fn(&Change) -> bool| changes.iter().rposition(wanted).map_or(0, |at| at + 1);
        let first = |wanted: fn(&Change) -> bool| changes.iter().position(wanted).unwrap_or(changes.len());
        prop_assert!(last(|c| matches!(c, Change::SetRoute(..))) <= first(|c| matches!(c, Change::SetSid(..))));
        prop_assert!(
            last(|c| matches!(c, Change::RemoveSid(_))) <= first(|c| matches!(c, Change::RemoveRoute(..) | Change::RemoveVrf(_)))
        );
    }

    /// A route draws a VIP's packets, a SID those of other nodes: by then its services are there, and they go after both.
    #[test]
    fn services_come_before_what_draws_packets_to_them_and_go_after(from in any_state(), to in any_state()) {
        let changes = Change::between(&from, &to);
        let last = |wanted: fn(&Change) -> bool| changes.iter().rposition(wanted).map_or(0, |at| at + 1);
        let first = |wanted: fn(&Change) -> bool| changes.iter().position(wanted).unwrap_or(changes.len());
        let draws = |c: &Change| matches!(c, Change::SetRoute(_, _, NextHop::Service) | Change::SetSid(..));
        prop_assert!(last(|c| matches!(c, Change::SetService(..))) <= first(draws));
        let drew = |c: &Change| matches!(c, Change::RemoveRoute(..) | Change::RemoveSid(_));
        prop_assert!(last(drew) <= first(|c| matches!(c, Change::RemoveService(_))));
    }

    /// Left by a process that died while it removed a VRF, whose id is now another tenant's.
    #[test]
    fn routes_without_a_vrf_go_before_its_next_owner_comes(mut from in any_state(), to in any_state()) {
        let died_with = from.vrfs.keys().next().copied().unwrap_or(VrfId(1));
        from.vrfs.remove(&died_with);
        from.sids.retain(|_, local| local.vrf != died_with);
        from.circuits.retain(|_, circuit| circuit.vrf != died_with);
        let mut state = from.clone();
        for change in Change::between(&from, &to) {
            state.apply(&change).unwrap();
            for (key, next_hop) in state.routes.iter().filter(|_| state.vrfs.contains_key(&died_with)) {
                let stale = key.0 == died_with && to.routes.get(key) != Some(next_hop);
                prop_assert!(!stale, "{:?} after {:?}", key, change);
            }
        }
        prop_assert_eq!(state, to);
    }
}
