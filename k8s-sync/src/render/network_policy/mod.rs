//! NetworkPolicies (`networking.k8s.io/v1`) of a pod, as rules of its circuit.
//!
//! Policies only ever allow, and what several allow is allowed by each: so the rules accept in any order, and one at the end drops
//! the rest of a direction that some policy isolates the pod in. Peers are addresses of pods of the same VRF: identity is
//! (VRF, address). What cannot be read allows nothing, and a pod whose rules have no room is cut off in that direction.
//!
//! Ingress is what goes to the circuit, egress what comes from it; a port is the destination's in both. Answers pass by
//! themselves, neighbour discovery and the node's own probes never meet the rules. A VIP is its backend by then: so a pod
//! that reaches itself by its own VIP has its own address for a peer, which no policy may block.

mod allowed;
mod block;
mod limit;
mod peer;
mod port;
#[cfg(test)]
mod tests;

use k8s_openapi::api::networking::v1::NetworkPolicySpec;
use srv6_dp::model::{Action, Direction};
use vrf_manager::intent::FilterRule;

use super::{Problem, Scope, names, namespace::in_namespace, parse::Reader};
use crate::world::{Key, ObjectRef, Pod, matches};
use allowed::Allowed;
pub(super) use limit::of_each_family;
use peer::Peers;
use port::Ports;

/// Rules of a pod's circuits; none where no policy isolates the pod.
pub(crate) fn of_pod(scope: &Scope<'_>, pod: &Key, problems: &mut Vec<Problem>) -> Vec<FilterRule> {
    let mut told = Vec::new();
    let rules = Side::BOTH.into_iter().flat_map(|side| of_side(scope, pod, side, &mut told)).collect();
    // The policy of many pods is told of once.
    for problem in told {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    rules
}

/// Direction as Kubernetes has it, seen from the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Ingress,
    Egress,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Ingress, Self::Egress];

    /// As `policyTypes` has it.
    const fn policy_type(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }

    /// Seen from the node.
    const fn direction(self) -> Direction {
        match self {
            Self::Ingress => Direction::Out,
            Self::Egress => Direction::In,
        }
    }

    /// What is not said is defaulted as the API server does.
    fn is_isolated_by(self, policy: &NetworkPolicySpec) -> bool {
        match policy.policy_types.as_deref().unwrap_or_default() {
            [] => self == Self::Ingress || policy.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
            types => types.iter().any(|kind| kind == self.policy_type()),
        }
    }
}

fn of_side(scope: &Scope<'_>, key: &Key, side: Side, problems: &mut Vec<Problem>) -> Vec<FilterRule> {
    let Some(pod) = scope.pods.get(key) else { return vec![denial(key, 0, side)] };
    let in_namespace = in_namespace(&scope.inputs.world.network_policies, &key.namespace);
    let isolating: Vec<_> = in_namespace
        .map(|(name, policy)| (name, &policy.spec))
        .filter(|(_, policy)| selects(policy, pod) && side.is_isolated_by(policy))
        .collect();
    let [(first, _), others @ ..] = &isolating[..] else { return Vec::new() };
    let mut allowed = Allowed::default();
    allowed.add_own(own_addresses(scope, key, pod));
    for (name, policy) in &isolating {
        let object = ObjectRef::namespaced("NetworkPolicy", name);
        let of_policy = OfPolicy { scope, pod, side, name };
        of_policy.add(policy, &mut allowed, &mut Reader::new(object, problems));
    }
    if allowed.is_everything() {
        return Vec::new();
    }
    let denial = denial(first, others.len(), side);
    let mut rules = allowed.rules(side.direction());
    rules.push(denial.clone());
    match limit::refusal(&rules, side) {
        None => rules,
        Some(message) => {
            let object = ObjectRef::namespaced("Pod", key);
            problems.push(Problem::new(object, super::Reason::LimitExceeded, message));
            vec![denial]
        }
    }
}

/// An empty selector takes all, and so does none.
fn selects(policy: &NetworkPolicySpec, pod: &Pod) -> bool {
    policy.pod_selector.as_ref().is_none_or(|selector| matches(selector, &pod.labels))
}

/// Also those that its interfaces have been given and the API server has not heard of.
fn own_addresses(scope: &Scope<'_>, key: &Key, pod: &Pod) -> impl Iterator<Item = std::net::IpAddr> {
    let own = scope.circuits.iter().filter(|it| it.pod.namespace == key.namespace && it.pod.name == key.name);
    let of_circuits = own.flat_map(|circuit| circuit.addresses.clone());
    pod.addresses.iter().copied().chain(of_circuits).collect::<Vec<_>>().into_iter()
}

/// Drops what no policy allows, in the name of the first that isolates the pod.
fn denial(first: &Key, others: usize, side: Side) -> FilterRule {
    let more = if others == 0 { String::new() } else { format!("+{others}") };
    let end = format!("{more} {}", side.word());
    let name = format!("{}{end}", names::short(first, names::LONGEST - end.len()));
    let direction = side.direction();
    FilterRule { name, direction, prefix: None, protocol: None, ports: None, action: Action::Drop }
}

/// A policy with the pod that it isolates.
struct OfPolicy<'a> {
    scope: &'a Scope<'a>,
    pod: &'a Pod,
    side: Side,
    name: &'a Key,
}

impl OfPolicy<'_> {
    fn add(&self, policy: &NetworkPolicySpec, allowed: &mut Allowed, reader: &mut Reader<'_>) {
        let name = names::short(self.name, names::LONGEST);
        let rules: Vec<_> = match self.side {
            Side::Ingress => {
                let rules = policy.ingress.iter().flatten();
                rules.map(|rule| (rule.from.as_deref(), rule.ports.as_deref())).collect()
            }
            Side::Egress => {
                let rules = policy.egress.iter().flatten();
                rules.map(|rule| (rule.to.as_deref(), rule.ports.as_deref())).collect()
            }
        };
        for (k, (peers, ports)) in rules.into_iter().enumerate() {
            let path = format!("spec.{}[{k}]", self.side.word());
            let peers = Peers::read(self, peers.unwrap_or_default(), &path, reader);
            let ports = Ports::read(ports.unwrap_or_default(), &path, reader);
            for (traffic, far) in ports.resolve(self, &peers) {
                allowed.add(&name, traffic, &far);
            }
        }
    }
}
