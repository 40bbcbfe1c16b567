//! The state file is lost, but the maps still hold what was allocated: numbers are taken over from there.

use srv6_dp::{
    State,
    model::{LocalSid, SidRole},
};
use srv6_types::{Sid, VrfId};

use super::{Allocations, SidKey, SidPurpose};
use crate::{
    intent::Intent,
    plan::{Interfaces, Links},
};

impl Allocations {
    /// Takes over the numbers that the dataplane uses. The maps know no names: a VRF is recognised by the
    /// interfaces of its circuits. Numbers of no recognised VRF are given out again last.
    pub fn adopt(&mut self, intent: &Intent, links: &Links, observed: &State) {
        let interfaces = Interfaces::of(intent, links);
        for (at, vrf) in intent.vrfs.iter().enumerate() {
            let served = (0..vrf.circuits.len()).flat_map(|circuit| interfaces.of_circuit(at, circuit));
            let circuits = served.filter(|served| !served.taken).filter_map(|served| links.get(served.name));
            let id = circuits.filter_map(|link| observed.circuits.get(&link.index)).map(|c| c.vrf).next();
            if let (Some(VrfId(id)), None) = (id, self.vrfs.get(&vrf.name)) {
                self.vrfs.adopt(Some(vrf.name.clone()), id);
            }
        }
        observed.vrfs.keys().for_each(|VrfId(id)| self.vrfs.adopt(None, *id));
        observed.sids.iter().for_each(|(sid, local)| self.adopt_sid(intent, *sid, *local));
    }

    fn adopt_sid(&mut self, intent: &Intent, sid: Sid, local: LocalSid) {
        let Some(named) = intent.srv6.locators.iter().find(|l| l.locator.contains(sid)) else { return };
        let structure = named.locator.structure();
        let below = 128 - u32::from(structure.locator()) - u32::from(structure.function());
        let function = (sid.bits() ^ named.locator.prefix().bits()).checked_shr(below).unwrap_or(0);
        let Ok(function) = u32::try_from(function) else { return };
        let vrf = intent.vrfs.iter().find(|vrf| self.vrf(&vrf.name) == Some(local.vrf));
        let key = vrf.zip(purpose(local));
        let pool = self.functions.entry(named.name.clone()).or_default();
        pool.adopt(key.map(|(vrf, purpose)| SidKey { vrf: vrf.name.clone(), purpose }), function);
    }
}

fn purpose(local: LocalSid) -> Option<SidPurpose> {
    match local.role {
        SidRole::Balance => Some(SidPurpose::Balance),
        SidRole::Egress(address) => Some(SidPurpose::Egress(address)),
        SidRole::Deliver => {
            let purposes = [SidPurpose::Dt4, SidPurpose::Dt6, SidPurpose::Dt46];
            purposes.into_iter().find(|purpose| purpose.behavior() == local.behavior)
        }
    }
}
