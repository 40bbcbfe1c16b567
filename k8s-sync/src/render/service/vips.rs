use std::{collections::BTreeMap, net::IpAddr};

use srv6_dp::model::Transport;
use vrf_manager::intent::{ServicePort, TrafficPolicy};

use super::super::{Reason, Scope, address::is_unicast, egress, parse::Reader};
use crate::world::Key;

/// The VIPs of a VRF as they are given away, and what none can be for it is something else.
pub(super) struct Vips {
    others: BTreeMap<IpAddr, String>,
    ports: BTreeMap<(IpAddr, Transport, u16), String>,
    policies: BTreeMap<IpAddr, (TrafficPolicy, String)>,
}

impl Vips {
    pub(super) fn of(scope: &Scope<'_>) -> Self {
        let mut others = BTreeMap::new();
        for (key, pod) in &scope.pods {
            others.extend(pod.addresses.iter().map(|address| (*address, format!("that of pod {key}"))));
        }
        for (address, policy) in egress::addresses(scope) {
            others.insert(address, format!("an egress address of EgressPolicy {policy}"));
        }
        for gateway in scope.circuits.iter().flat_map(|circuit| &circuit.gateways) {
            others.insert(*gateway, "the gateway address of pods".to_owned());
        }
        Self { others, ports: BTreeMap::new(), policies: BTreeMap::new() }
    }

    /// Whether a Service can have a VIP with these ports: the first by name has it.
    pub(super) fn take(
        &mut self,
        vip: IpAddr,
        service: &Key,
        ports: &[ServicePort],
        policy: TrafficPolicy,
        reader: &mut Reader<'_>,
    ) -> bool {
        if let Some((reason, why)) = self.refusal(vip, ports, policy) {
            reader.tell(reason, vip, format_args!("it {why}; give the Service an address of its own"));
            return false;
        }
        self.policies.entry(vip).or_insert_with(|| (policy, service.to_string()));
        for port in ports {
            self.ports.insert((vip, port.transport, port.port), service.to_string());
        }
        true
    }

    fn refusal(&self, vip: IpAddr, ports: &[ServicePort], policy: TrafficPolicy) -> Option<(Reason, String)> {
        if !is_unicast(vip) {
            return Some((Reason::Invalid, "cannot be a VIP".to_owned()));
        }
        if let Some(other) = self.others.get(&vip) {
            return Some((Reason::Conflict, format!("is {other} already")));
        }
        let taken = |port: &ServicePort| self.ports.get(&(vip, port.transport, port.port)).zip(Some(*port));
        if let Some((other, port)) = ports.iter().find_map(taken) {
            let why = format!("has {} port {} already, for Service {other}", port.transport, port.port);
            return Some((Reason::Conflict, why));
        }
        // One route of a VIP says one thing.
        let (other_policy, other) = self.policies.get(&vip)?;
        let why = || {
            format!(
                "is shared with Service {other}, which has traffic policy {other_policy}, and not {policy}"
            )
        };
        (*other_policy != policy).then(|| (Reason::Conflict, why()))
    }
}
