//! The policies by id, and what each was set to.

use std::collections::{BTreeMap, BTreeSet};

use aya::{
    Ebpf,
    maps::{HashMap, MapData},
};
use srv6_types::{
    VrfId,
    maps::{EgressMember, EgressPolicyEntry},
};

use super::{
    super::{
        batch::absent_is_fine,
        error::EbpfError,
        maps::{Sizes, take},
    },
    codec,
};
use crate::model::EgressPolicy;

/// Value of the members, whose keys alone matter.
const MEMBER: u32 = 1;

pub(super) type Key = (VrfId, String);

pub(super) struct Policies {
    entries: HashMap<MapData, u32, EgressPolicyEntry>,
    members: HashMap<MapData, EgressMember, u32>,
    sizes: Sizes,
    /// As written.
    written: BTreeMap<Key, (u32, EgressPolicy)>,
}

impl Policies {
    pub(super) fn take(ebpf: &mut Ebpf, sizes: &Sizes) -> Result<Self, EbpfError> {
        let mut policies = Self {
            entries: take(ebpf, "EGRESS_POLICIES")?,
            members: take(ebpf, "EGRESS_MEMBERS")?,
            sizes: *sizes,
            written: BTreeMap::new(),
        };
        policies.written = policies.read()?;
        policies.remove_orphans()?;
        Ok(policies)
    }

    pub(super) fn read(&self) -> Result<BTreeMap<Key, (u32, EgressPolicy)>, EbpfError> {
        let mut by_id = BTreeMap::new();
        for entry in self.entries.iter() {
            let (id, entry) = entry.map_err(self.sizes.error("EGRESS_POLICIES"))?;
            by_id.insert(id, codec::decode_policy(&entry));
        }
        for member in self.members.keys() {
            let member = member.map_err(self.sizes.error("EGRESS_MEMBERS"))?;
            if let Some((_, policy)) = by_id.get_mut(&member.policy) {
                codec::add_member(policy, &member);
            }
        }
        Ok(by_id.into_iter().map(|(id, (key, policy))| (key, (id, policy))).collect())
    }

    /// Members of a policy that a process had not finished to set or to remove.
    fn remove_orphans(&mut self) -> Result<(), EbpfError> {
        let ids = self.ids();
        let members: Result<Vec<_>, _> = self.members.keys().collect();
        let mut members = members.map_err(self.sizes.error("EGRESS_MEMBERS"))?;
        members.retain(|member| !ids.contains(&member.policy));
        self.remove_members(&members)
    }

    fn ids(&self) -> BTreeSet<u32> {
        self.written.values().map(|(id, _)| *id).collect()
    }

    pub(super) fn vrfs(&self) -> impl Iterator<Item = VrfId> {
        self.written.keys().map(|(vrf, _)| *vrf)
    }

    pub(super) fn get(&self, key: &Key) -> Option<&EgressPolicy> {
        self.written.get(key).map(|(_, policy)| policy)
    }

    /// Policies of a VRF with their ids, in the order of their ranks; of equal rank, of their names.
    pub(super) fn of(&self, vrf: VrfId) -> Vec<(u32, &EgressPolicy)> {
        let first = (vrf, String::new());
        let of_vrf = self.written.range(first..).take_while(|((of, _), _)| *of == vrf);
        let mut policies: Vec<_> = of_vrf.map(|(_, (id, policy))| (*id, policy)).collect();
        policies.sort_by_key(|(_, policy)| policy.rank);
        policies
    }

    /// Whether the policy of this id is of the VRF, or of none.
    pub(super) fn is_of(&self, id: u32, vrf: VrfId) -> bool {
        let found = self.written.iter().find(|(_, (of, _))| *of == id);
        found.is_none_or(|((of, _), _)| *of == vrf)
    }

    /// Writes the policy, which no class names before this returns. What it was set to before goes last: a process that
    /// dies meanwhile leaves one that no plan wants, and which is set again.
    pub(super) fn set(&mut self, key: &Key, policy: &EgressPolicy) -> Result<(), EbpfError> {
        let entry = codec::encode_policy(key.0, &key.1, policy)?;
        let id = match self.written.get(key) {
            Some((id, _)) => *id,
            None => {
                let ids = self.ids();
                // There are fewer policies than numbers, for each has an entry of a map.
                (1..).find(|id| !ids.contains(id)).unwrap_or(u32::MAX)
            }
        };
        let before = self.written.get(key).map(|(id, policy)| codec::members(*id, policy).collect());
        let mut stale: BTreeSet<_> = before.unwrap_or_default();
        for member in codec::members(id, policy) {
            let error = self.sizes.error("EGRESS_MEMBERS");
            self.members.insert(member, MEMBER, 0).map_err(error)?;
            stale.remove(&member);
        }
        let error = self.sizes.error("EGRESS_POLICIES");
        self.entries.insert(id, entry, 0).map_err(error)?;
        self.remove_members(&stale.into_iter().collect::<Vec<_>>())?;
        self.written.insert(key.clone(), (id, policy.clone()));
        Ok(())
    }

    /// Forgets the policy in user space; returns what is to be given to [`Self::remove`] when no class names it.
    pub(super) fn forget(&mut self, key: &Key) -> Option<(u32, EgressPolicy)> {
        self.written.remove(key)
    }

    /// No packet may hold the id any more.
    pub(super) fn remove(&mut self, (id, policy): &(u32, EgressPolicy)) -> Result<(), EbpfError> {
        let error = self.sizes.error("EGRESS_POLICIES");
        absent_is_fine(self.entries.remove(id)).map_err(error)?;
        self.remove_members(&codec::members(*id, policy).collect::<Vec<_>>())
    }

    fn remove_members(&mut self, members: &[EgressMember]) -> Result<(), EbpfError> {
        let error = self.sizes.error("EGRESS_MEMBERS");
        members.iter().try_for_each(|member| absent_is_fine(self.members.remove(member)).map_err(&error))
    }
}
