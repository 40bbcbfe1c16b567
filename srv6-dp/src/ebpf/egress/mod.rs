//! Egress addresses, which hosts of a VRF are translated to, and the policies that send traffic there.
//!
//! Policies of a VRF are compiled as a whole ([`compile`]) and then put in force make before break ([`lookups`]): what a
//! policy holds before and after a change never leaves untranslated in between.

mod addresses;
mod codec;
mod compile;
mod lookups;
mod policies;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use aya::Ebpf;
use srv6_types::{VrfId, maps::CircuitEntry};

use self::compile::Compiled;
use super::{EbpfDataplane, error::EbpfError, maps::Sizes, pins::Pins, ranges::let_packets_pass};
use crate::model::{Change, EgressAddress, EgressCounters, EgressPolicy, IfIndex};

/// The maps, and what is written to them.
pub(super) struct Egress {
    addresses: addresses::Addresses,
    policies: policies::Policies,
    lookups: lookups::Lookups,
    /// Class of each circuit that a policy names, whether the circuit is there or not.
    circuits: BTreeMap<(VrfId, IfIndex), u32>,
}

impl Egress {
    pub(super) fn take(
        ebpf: &mut Ebpf,
        pins: &Pins,
        generation: &str,
        sizes: &Sizes,
    ) -> Result<Self, EbpfError> {
        Ok(Self {
            addresses: addresses::Addresses::take(ebpf, sizes)?,
            policies: policies::Policies::take(ebpf, sizes)?,
            lookups: lookups::Lookups::take(ebpf, pins, generation, sizes)?,
            circuits: BTreeMap::new(),
        })
    }

    /// The class of the hosts behind a circuit, 0 for none.
    pub(super) fn circuit_class(&self, vrf: VrfId, circuit: IfIndex) -> u32 {
        self.circuits.get(&(vrf, circuit)).copied().unwrap_or(0)
    }

    pub(super) fn counters(&self) -> Result<BTreeMap<(VrfId, IpAddr), EgressCounters>, EbpfError> {
        self.addresses.counters()
    }

    fn set_circuits(&mut self, vrf: VrfId, compiled: &Compiled, numbers: &[u32]) {
        self.circuits.retain(|(of, _), _| *of != vrf);
        let classes =
            compiled.circuits.iter().filter_map(|(circuit, at)| Some((*circuit, *numbers.get(*at)?)));
        self.circuits.extend(classes.map(|(circuit, class)| ((vrf, circuit), class)));
    }
}

impl EbpfDataplane {
    pub(super) fn change_egress(&mut self, change: &Change) -> Result<(), EbpfError> {
        match change {
            Change::SetEgressAddress(at, address) => self.egress.addresses.set(*at, address),
            Change::RemoveEgressAddress(at) => self.egress.addresses.remove(*at),
            Change::SetEgressPolicy(key, policy) => self.set_egress_policy(key, policy),
            Change::RemoveEgressPolicy(key) => self.remove_egress_policy(key),
            _ => Ok(()),
        }
    }

    fn set_egress_policy(&mut self, key: &policies::Key, policy: &EgressPolicy) -> Result<(), EbpfError> {
        let policies = &mut self.egress.policies;
        let before = policies.get(key).map(|policy| policy.circuits.clone()).unwrap_or_default();
        policies.set(key, policy)?;
        // What came by a circuit may be held by its address from now on, or the other way round: first by both.
        if !before.is_subset(&policy.circuits) {
            let mut both = policy.clone();
            both.circuits.extend(before);
            let policies = &self.egress.policies;
            let changed = policies.get(key);
            let is_changed = |policy| changed.is_some_and(|changed| std::ptr::eq(changed, policy));
            let mut of_vrf = policies.of(key.0);
            of_vrf
                .iter_mut()
                .filter(|(_, policy)| is_changed(*policy))
                .for_each(|(_, policy)| *policy = &both);
            let compiled = compile::compile(&of_vrf);
            self.enforce(key.0, &compiled)?;
            let_packets_pass();
        }
        self.settle_egress(key.0)
    }

    fn remove_egress_policy(&mut self, key: &policies::Key) -> Result<(), EbpfError> {
        let Some(removed) = self.egress.policies.forget(key) else { return Ok(()) };
        self.settle_egress(key.0)?;
        self.egress.policies.remove(&removed)
    }

    /// Completes what a process before this one may have begun.
    pub(super) fn settle_all_egress(&mut self) -> Result<(), EbpfError> {
        let egress = &self.egress;
        let vrfs: BTreeSet<_> = egress.policies.vrfs().chain(egress.lookups.vrfs()).collect();
        vrfs.into_iter().try_for_each(|vrf| self.settle_egress(vrf))
    }

    /// Puts the policies of a VRF in force as they stand; returns when no packet goes by any other.
    fn settle_egress(&mut self, vrf: VrfId) -> Result<(), EbpfError> {
        let compiled = compile::compile(&self.egress.policies.of(vrf));
        let wanted = self.enforce(vrf, &compiled)?;
        let Egress { policies, lookups, .. } = &mut self.egress;
        let stale = lookups.stale(&wanted, |policy| policies.is_of(policy, vrf));
        if stale.is_empty() {
            return Ok(());
        }
        let_packets_pass();
        lookups.remove(&stale)
    }

    /// New classes first, then the circuits, then the sources go over to them. Returns the numbers of the classes.
    fn enforce(&mut self, vrf: VrfId, compiled: &Compiled) -> Result<Vec<u32>, EbpfError> {
        let numbers = self.egress.lookups.make(compiled)?;
        self.egress.set_circuits(vrf, compiled, &numbers);
        if self.write_circuit_classes(vrf)? {
            // A packet reads its circuit before it looks for its source.
            let_packets_pass();
        }
        let number = |at: &usize| numbers.get(*at).copied();
        let sources =
            compiled.sources.iter().filter_map(|(source, at)| Some((*source, number(at)?))).collect();
        self.egress.lookups.set_sources(vrf, &sources)?;
        Ok(numbers)
    }

    /// Returns whether there was anything to write.
    fn write_circuit_classes(&mut self, vrf: VrfId) -> Result<bool, EbpfError> {
        let mut changed = false;
        let error = self.maps.error("CIRCUITS");
        let entries: Result<Vec<_>, _> = self.maps.circuits.iter().collect();
        for (interface, entry) in entries.map_err(&error)? {
            let egress = self.egress.circuit_class(vrf, IfIndex(interface));
            if entry.vrf == vrf.0 && entry.egress != egress {
                self.maps.circuits.insert(interface, CircuitEntry { egress, ..entry }, 0).map_err(&error)?;
                changed = true;
            }
        }
        Ok(changed)
    }

    pub(super) fn egress_addresses(&self) -> Result<BTreeMap<(VrfId, IpAddr), EgressAddress>, EbpfError> {
        self.egress.addresses.observe()
    }

    /// The index of an egress address, for what translates to it.
    pub(super) fn egress_index(&self, vrf: VrfId, address: IpAddr) -> Result<u32, EbpfError> {
        self.egress.addresses.find((vrf, address))?.ok_or(EbpfError::NoEgressAddress { vrf, address })
    }

    /// The egress address of an index; `None` where there is none.
    pub(super) fn egress_address(&self, index: u32) -> Result<Option<IpAddr>, EbpfError> {
        self.egress.addresses.at(index)
    }

    pub(super) fn egress_policies(&self) -> Result<BTreeMap<policies::Key, EgressPolicy>, EbpfError> {
        let policies = self.egress.policies.read()?;
        Ok(policies.into_iter().map(|(key, (_, policy))| (key, policy)).collect())
    }
}
