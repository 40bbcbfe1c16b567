//! Numbers that must not move over restarts and changes of the configuration: VRF ids, SID functions and automatic
//! route distinguishers. [`Allocations`] is what the agent writes to its state file, before it applies a plan.

mod adopt;
mod pool;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use bgp_wire::nlri::RouteDistinguisher;
use serde::{Deserialize, Serialize};
use srv6_dp::model::SidRole;
use srv6_types::{Behavior, VrfId};

use crate::intent::{Intent, NamedLocator, Service, SidMode, TrafficPolicy, Vrf};
use pool::{Pool, Space, Want};

/// The highest VRF id: the dataplane indexes arrays of 4096 entries with it, and 0 is the global table.
pub const MAX_VRF: u32 = 4095;

/// Highest number of a `<router id>:<n>` route distinguisher, RFC 4364 section 4.2 (type 1).
const MAX_DISTINGUISHER: u32 = 0xffff;

/// Every number given out on this node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocations {
    vrfs: Pool<String>,
    distinguishers: Pool<String>,
    /// By name of the locator.
    functions: BTreeMap<String, Pool<SidKey>>,
}

/// Whose a service SID is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct SidKey {
    vrf: String,
    /// As the state files of all versions call it.
    #[serde(rename = "service")]
    purpose: SidPurpose,
}

/// What a VRF takes a service SID for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SidPurpose {
    /// End.DT4.
    Dt4,
    /// End.DT6.
    Dt6,
    /// End.DT46.
    Dt46,
    /// VIPs that any backend serves.
    Balance,
    /// Traffic that is to leave under this egress address of ours.
    Egress(IpAddr),
}

/// Why a VRF got no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocateError {
    /// All VRF ids are in use.
    #[error("VRF {vrf}: all {MAX_VRF} VRF ids are in use; remove a VRF that is not needed first")]
    Vrfs {
        /// The VRF.
        vrf: String,
    },
    /// All functions of the locator are in use.
    #[error(
        "VRF {vrf}: locator {locator} has {functions} functions and all are in use; give it a longer functionLength, \
         or name another locator in the VRF"
    )]
    Functions {
        /// The VRF.
        vrf: String,
        /// The locator's name.
        locator: String,
        /// How many functions it has.
        functions: u32,
    },
    /// All automatic route distinguishers are in use.
    #[error("VRF {vrf}: all automatic route distinguishers are in use; set rd in the VRF")]
    Distinguishers {
        /// The VRF.
        vrf: String,
    },
}

impl SidPurpose {
    /// What the VRF takes SIDs for. VIPs and egress addresses that nobody can import need none.
    pub fn of(vrf: &Vrf) -> Vec<Self> {
        let mut purposes = match vrf.sid_mode {
            SidMode::PerVrf => vec![Self::Dt46],
            SidMode::PerFamily => vec![Self::Dt4, Self::Dt6],
        };
        if !vrf.export_route_targets.is_empty() {
            let balances = |service: &Service| service.traffic_policy == TrafficPolicy::Cluster;
            purposes.extend(vrf.services.iter().any(balances).then_some(Self::Balance));
            purposes.extend(vrf.egress_addresses().into_keys().map(Self::Egress));
        }
        purposes
    }

    /// The behaviour of the SID, RFC 8986 sections 4.6 to 4.8. VIPs and egress addresses have one that takes both families
    /// also where the VRF has a SID for each: what it does besides does not depend on the family.
    pub const fn behavior(self) -> Behavior {
        match self {
            Self::Dt4 => Behavior::END_DT4,
            Self::Dt6 => Behavior::END_DT6,
            Self::Dt46 | Self::Balance | Self::Egress(_) => Behavior::END_DT46,
        }
    }

    /// What the SID does besides decapsulating.
    pub const fn role(self) -> SidRole {
        match self {
            Self::Dt4 | Self::Dt6 | Self::Dt46 => SidRole::Deliver,
            Self::Balance => SidRole::Balance,
            Self::Egress(address) => SidRole::Egress(address),
        }
    }
}

impl Allocations {
    /// Gives numbers to all that the intent holds and takes back the others. Numbers already given stay. A VRF
    /// that gets none is left out of the plan; the errors say why.
    pub fn settle(&mut self, intent: &Intent) -> Vec<AllocateError> {
        let mut errors = self.settle_vrfs(intent);
        errors.extend(self.settle_distinguishers(intent));
        errors.extend(self.settle_functions(intent));
        errors
    }

    /// The id of a VRF.
    pub fn vrf(&self, name: &str) -> Option<VrfId> {
        self.vrfs.get(&name.to_owned()).map(VrfId)
    }

    /// The function of a VRF's service SID in a locator.
    pub fn function(&self, locator: &str, vrf: &str, purpose: SidPurpose) -> Option<u32> {
        self.functions.get(locator)?.get(&SidKey { vrf: vrf.to_owned(), purpose })
    }

    /// The VRF's route distinguisher: the operator's, or `<router id>:<n>`.
    pub fn distinguisher(&self, router_id: Ipv4Addr, vrf: &Vrf) -> Option<RouteDistinguisher> {
        vrf.rd.or_else(|| {
            let number = u16::try_from(self.distinguishers.get(&vrf.name)?).ok()?;
            Some(automatic_distinguisher(router_id, number))
        })
    }

    fn settle_vrfs(&mut self, intent: &Intent) -> Vec<AllocateError> {
        let wanted = wants(&intent.vrfs, |_| None);
        let space = Space { limit: MAX_VRF, taken: &BTreeSet::new() };
        self.vrfs.settle(&wanted, &space).into_iter().map(|vrf| AllocateError::Vrfs { vrf }).collect()
    }

    /// The VRF's id is preferred: so the same route distinguishers come out again when the state file is lost. One
    /// that the operator gives to another VRF moves away, for two VRFs must not share one.
    fn settle_distinguishers(&mut self, intent: &Intent) -> Vec<AllocateError> {
        let router_id = intent.router.router_id;
        let taken = intent.vrfs.iter().filter_map(|vrf| number_of(vrf.rd?, router_id)).collect();
        let wanted = wants(intent.vrfs.iter().filter(|vrf| vrf.rd.is_none()), |vrf| self.vrfs.get(vrf));
        let space = Space { limit: MAX_DISTINGUISHER, taken: &taken };
        let refused = self.distinguishers.settle(&wanted, &space);
        refused.into_iter().map(|vrf| AllocateError::Distinguishers { vrf }).collect()
    }

    fn settle_functions(&mut self, intent: &Intent) -> Vec<AllocateError> {
        let none = BTreeSet::new();
        for NamedLocator { name, .. } in &intent.srv6.locators {
            self.functions.entry(name.clone()).or_default();
        }
        let mut errors = Vec::new();
        for (locator, pool) in &mut self.functions {
            let configured = intent.srv6.locators.iter().find(|l| l.name == *locator);
            let limit = configured.map_or(0, |l| l.locator.max_function());
            let wanted = if configured.is_some() { sids(intent, locator) } else { Vec::new() };
            // A locator that is not configured keeps its numbers as retired ones: it may come back.
            let space = Space { limit, taken: &none };
            errors.extend(pool.settle(&wanted, &space).into_iter().map(|key| AllocateError::Functions {
                vrf: key.vrf,
                locator: locator.clone(),
                functions: limit,
            }));
        }
        errors
    }
}

/// The locator that a VRF takes its SIDs from; `None` when there is no such one.
pub fn locator_of<'a>(intent: &'a Intent, vrf: &Vrf) -> Option<&'a NamedLocator> {
    match &vrf.locator {
        Some(name) => intent.srv6.locators.iter().find(|locator| locator.name == *name),
        None => intent.srv6.locators.first(),
    }
}

fn wants<'a>(
    vrfs: impl IntoIterator<Item = &'a Vrf>,
    preferred: impl Fn(&String) -> Option<u32>,
) -> Vec<Want<String>> {
    let want = |vrf: &Vrf| Want { key: vrf.name.clone(), preferred: preferred(&vrf.name) };
    vrfs.into_iter().map(want).collect()
}

fn sids(intent: &Intent, locator: &str) -> Vec<Want<SidKey>> {
    let here = |vrf: &&Vrf| locator_of(intent, vrf).is_some_and(|l| l.name == locator);
    let keys = |vrf: &Vrf| {
        let name = vrf.name.clone();
        SidPurpose::of(vrf).into_iter().map(move |purpose| SidKey { vrf: name.clone(), purpose })
    };
    intent.vrfs.iter().filter(here).flat_map(keys).map(|key| Want { key, preferred: None }).collect()
}

/// Type 1, RFC 4364 section 4.2.
fn automatic_distinguisher(router_id: Ipv4Addr, number: u16) -> RouteDistinguisher {
    let [a, b, c, d] = router_id.octets();
    let [high, low] = number.to_be_bytes();
    RouteDistinguisher([0, 1, a, b, c, d, high, low])
}

/// The number of a distinguisher that an automatic one could also be.
fn number_of(rd: RouteDistinguisher, router_id: Ipv4Addr) -> Option<u32> {
    let number = u16::from_be_bytes([rd.0[6], rd.0[7]]);
    (rd == automatic_distinguisher(router_id, number)).then_some(u32::from(number))
}
