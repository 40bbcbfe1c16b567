//! Whatever happens in whatever order: what was handed out adds up to what a full computation says.

use proptest::prelude::*;

use super::*;
use crate::{
    intent::{EgressPolicy, Encapsulation, RemoteBackends, Service, SidMode, TrafficPolicy, Via},
    testing::{addresses, drops, gateway, policy, segments, service, via, vrf},
};

const NAMES: [&str; 3] = ["red", "blue", "green"];
const PREFIXES: [&str; 8] = [
    "10.0.0.0/24",
    "10.0.0.1/32",
    "10.9.0.0/16",
    "0.0.0.0/0",
    "2001:db8:a::/64",
    "2001:db8:9::/48",
    "10.100.0.1/32",
    "192.0.2.7/32",
];

#[derive(Clone, Debug)]
enum Event {
    Learn(usize, usize, Option<VpnPath>),
    Configure(Intent),
    Link(usize, bool),
    Restart,
    Sweep,
    LetGo,
}

fn paths() -> impl Strategy<Value = Option<VpnPath>> {
    let sids = prop_oneof![
        Just(None),
        Just(Some(sid("fc00:0:2:1::"))),
        Just(Some(sid("fc00:0:3:1::"))),
        (1u128..6).prop_map(|n| Some(Sid::from_bits(sid("fc00:0:1::").bits() | n << 64))),
    ];
    let behaviors = prop_oneof![Just(Behavior::END_DT46), Just(Behavior::END_DT4), Just(Behavior::OPAQUE)];
    let parts = (sids, behaviors, any::<bool>(), any::<bool>(), proptest::option::weighted(0.1, 1u32..4));
    let path = parts.prop_map(|(sid, behavior, external, stale, local)| VpnPath {
        sid,
        behavior,
        external,
        stale,
        local: local.map(VrfId),
        ..super::path("::")
    });
    proptest::option::weighted(0.8, path)
}

#[derive(Clone, Debug)]
struct Features {
    service: Option<Service>,
    egress: Option<EgressPolicy>,
    filtered: bool,
}

/// The VIP is that of every tenant, and so is the egress address.
fn features() -> impl Strategy<Value = Features> {
    let services = prop_oneof![
        Just(service("web", &["10.100.0.1"], &["10.0.0.2", "10.9.0.2"])),
        Just(service("web", &["10.100.0.1"], &[])),
        Just(Service {
            remote: RemoteBackends::Translated(addresses(&["192.0.2.7"])),
            ..service("web", &["10.100.0.1"], &["10.7.0.2"])
        }),
        Just(Service {
            traffic_policy: TrafficPolicy::Local,
            ..service("web", &["10.100.0.1"], &["10.0.0.2"])
        }),
    ];
    let policies = prop_oneof![
        Just(policy("internet", &["192.0.2.7"])),
        Just(gateway("internet", &["192.0.2.7", "2001:db8::7"])),
    ];
    let features = (proptest::option::of(services), proptest::option::of(policies), any::<bool>());
    features.prop_map(|(service, egress, filtered)| Features { service, egress, filtered })
}

fn tenant(n: usize) -> impl Strategy<Value = Option<Vrf>> {
    let choices = (any::<bool>(), any::<bool>(), any::<bool>(), 0u8..4, features());
    proptest::option::weighted(0.8, choices).prop_map(move |choices| {
        let (full, per_family, circuit, route, features) = choices?;
        let mut vrf = vrf(NAMES[n]);
        if circuit {
            vrf = vrf.circuit(&format!("eth{n}"), &["10.0.0.1/24", "2001:db8:a::1/64"]);
        }
        vrf = match route {
            0 => vrf.route("10.9.0.0/16", via("10.0.0.2")),
            1 => vrf.route("10.9.0.0/16", segments(&["fc00:0:5::", "fc00:0:2:9::"])),
            2 => vrf.route("0.0.0.0/0", Via::Blackhole),
            _ => vrf,
        };
        vrf.services.extend(features.service);
        vrf.egress.extend(features.egress);
        vrf.filter.extend(features.filtered.then(|| drops("all")));
        vrf.encapsulation = if full { Encapsulation::Full } else { Encapsulation::Reduced };
        vrf.sid_mode = if per_family { SidMode::PerFamily } else { SidMode::PerVrf };
        Some(vrf)
    })
}

fn intents() -> impl Strategy<Value = Intent> {
    (tenant(0), tenant(1), tenant(2)).prop_map(|(a, b, c)| intent([a, b, c].into_iter().flatten().collect()))
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        12 => (0..NAMES.len(), 0..PREFIXES.len(), paths()).prop_map(|(v, p, path)| Event::Learn(v, p, path)),
        4 => intents().prop_map(Event::Configure),
        2 => (0..NAMES.len(), any::<bool>()).prop_map(|(n, up)| Event::Link(n, up)),
        1 => Just(Event::Restart),
        1 => Just(Event::Sweep),
        2 => Just(Event::LetGo),
    ];
    proptest::collection::vec(event, 1..60)
}

/// What the tables should add up to, by the plainest way there is.
#[derive(Default)]
struct Reference {
    learnt: BTreeMap<(VrfId, IpNet), VpnPath>,
    adopted: BTreeMap<(VrfId, IpNet), NextHop>,
}

impl Reference {
    fn expected(&self, desired: &crate::Desired) -> State {
        let mut state = desired.dataplane.clone();
        let learnt = self
            .learnt
            .iter()
            .filter_map(|(key, path)| usable(desired, key.0, &key.1, path).map(|next_hop| (*key, next_hop)));
        let adopted = self.adopted.iter().map(|(key, next_hop)| (*key, next_hop.clone()));
        for (key, next_hop) in learnt.chain(adopted) {
            if !firm(desired, &key) {
                state.routes.insert(key, next_hop);
            }
        }
        state
    }

    /// What a new plan leaves of what was known.
    fn keep(&mut self, desired: &crate::Desired) {
        let planned = |vrf: &VrfId| desired.vrfs.contains_key(vrf);
        self.learnt.retain(|(vrf, _), _| planned(vrf));
        self.adopted.retain(|key, _| planned(&key.0) && !firm(desired, key));
    }
}

/// Whether the plan has a route that is better than any from BGP.
fn firm(desired: &crate::Desired, key: &(VrfId, IpNet)) -> bool {
    desired.dataplane.routes.get(key).is_some_and(|next_hop| *next_hop != NextHop::Egress)
}

fn usable(desired: &crate::Desired, vrf: VrfId, prefix: &IpNet, path: &VpnPath) -> Option<NextHop> {
    let fits = |behavior| behavior != Behavior::END_DT4 && behavior != Behavior::END_DT6;
    let fits = |behavior| fits(behavior) || (behavior == Behavior::END_DT4) == matches!(prefix, IpNet::V4(_));
    let own = path.sid.and_then(|sid| desired.dataplane.sids.get(&sid)).filter(|own| fits(own.behavior));
    if let Some(other) = path.local.or(own.map(|own| own.vrf)) {
        return (other != vrf).then_some(NextHop::Vrf(other));
    }
    let sid = path.sid.filter(|sid| !sid.to_string().starts_with("fc00:0:1:"))?;
    let reduced = desired.vrfs[&vrf].encapsulation == Encapsulation::Reduced;
    fits(path.behavior).then(|| NextHop::Encapsulate { segments: vec![sid], reduced })
}

/// What the dataplane comes to when nothing lingers any more.
fn settled(pe: &Pe) -> State {
    let (mut tables, mut state) = (pe.tables.clone(), pe.dataplane.clone());
    tables.let_go().iter().for_each(|change| state.apply(change).unwrap());
    state
}

/// Whatever names a VRF names one that is there, also for the shortest time.
fn nothing_is_left_behind(state: &State) -> bool {
    let services = state.services.keys().map(|id| id.vrf);
    let egress = state.egress_addresses.keys().map(|(vrf, _)| *vrf);
    let policies = state.egress_policies.keys().map(|(vrf, _)| *vrf);
    let circuits = state.circuits.values().map(|circuit| circuit.vrf);
    let sids = state.sids.values().map(|local| local.vrf);
    let named = services.chain(egress).chain(policies).chain(circuits).chain(sids);
    let filters = state.circuits.values().filter_map(|circuit| circuit.filter);
    named.into_iter().all(|vrf| state.vrfs.contains_key(&vrf))
        && filters.into_iter().all(|id| state.filters.contains_key(&id))
}

/// A prefix that is in the VRF before and after is there in every state between.
fn without_gaps(before: &State, changes: &[Change]) -> bool {
    let mut states = vec![before.clone()];
    for change in changes {
        let mut next = states[states.len() - 1].clone();
        next.apply(change).unwrap();
        assert!(nothing_is_left_behind(&next), "after {change}");
        states.push(next);
    }
    let last = &states[states.len() - 1];
    let stays = before.routes.keys().filter(|key| last.routes.contains_key(key));
    stays.into_iter().all(|key| states.iter().all(|state| state.routes.contains_key(key)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn changes_add_up_to_a_full_computation(events in events()) {
        let mut pe = Pe::new(vec![], &["eth0", "eth1", "eth2"]);
        let mut wanted = intent(vec![]);
        let mut reference = Reference::default();
        for event in events {
            let before = pe.dataplane.clone();
            let mut transition = Transition::default();
            match event {
                Event::Learn(vrf, prefix, path) => {
                    let vrf = VrfId(vrf as u32 + 1);
                    let planned = pe.tables.vrfs.contains_key(&vrf);
                    let change = pe.learn(vrf, PREFIXES[prefix], path.clone());
                    prop_assert!(change.is_none() || before != pe.dataplane, "{:?} does nothing", change);
                    let key = (vrf, PREFIXES[prefix].parse().unwrap());
                    reference.adopted.remove(&key);
                    reference.learnt.remove(&key);
                    reference.learnt.extend(path.filter(|_| planned).map(|path| (key, path)));
                }
                Event::Configure(intent) => {
                    wanted = intent;
                    transition = pe.configure(&wanted);
                }
                Event::Link(n, up) => {
                    pe.links.0.get_mut(&format!("eth{n}")).unwrap().up = up;
                    transition = pe.configure(&wanted);
                }
                Event::Restart => {
                    let into_core = |n: &NextHop| matches!(n, NextHop::Encapsulate { .. } | NextHop::Vrf(_));
                    reference.learnt.clear();
                    reference.adopted = before.routes.clone().into_iter().filter(|(_, n)| into_core(n)).collect();
                    transition = pe.restart(&wanted);
                }
                Event::Sweep => {
                    let swept = pe.tables.sweep();
                    pe.apply(&swept);
                    reference.adopted.clear();
                }
                Event::LetGo => {
                    pe.let_go();
                    prop_assert!(!pe.tables.lingers());
                }
            }
            let desired = replan(&wanted, &pe.links, &mut pe.allocations);
            reference.keep(&desired);
            prop_assert_eq!(&pe.tables.state(), &pe.dataplane);
            prop_assert!(without_gaps(&before, &[transition.make, transition.remove].concat()));
            prop_assert_eq!(settled(&pe), reference.expected(&desired));
        }
    }
}
