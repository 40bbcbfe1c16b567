use aya_ebpf::{
    bindings::{BPF_ANY, BPF_NOEXIST},
    btf_maps::{ArrayOfMaps, LruHashMap},
    macros::btf_map,
};
use srv6_types::{
    DropReason,
    maps::{FRAGMENT_LIFETIME, FlowEntry, FlowKey, flow_kind, lifetime},
};

use super::now;
use crate::maps::VRF_SLOTS;

/// The size is that of the template; user space makes each table as large as the VRF wants it.
type Table = LruHashMap<FlowKey, FlowEntry, 1024>;

/// By VRF id.
#[btf_map]
static FLOWS: ArrayOfMaps<Table, { VRF_SLOTS as usize }> = ArrayOfMaps::new();

/// Whether the VRF remembers flows.
#[inline(always)]
pub(crate) fn has_table(vrf: u32) -> bool {
    FLOWS.get(vrf).is_some()
}

/// An entry that has not been idle for too long. It may be given to another flow of the VRF at any time: what is read of it is
/// good for one packet.
#[inline(always)]
pub(crate) fn find(vrf: u32, key: &FlowKey) -> Option<&'static mut FlowEntry> {
    // SAFETY: entries are written word by word; a torn one would harm one packet of the same VRF.
    let entry = unsafe { &mut *FLOWS.get(vrf)?.get_ptr_mut(key)? };
    let age = now().saturating_sub(entry.seen);
    let allowed = match key.kind {
        flow_kind::FRAGMENT => FRAGMENT_LIFETIME,
        _ => lifetime(key.protocol, entry.state),
    };
    if age < allowed { Some(entry) } else { None }
}

/// Sets an entry, whatever was there.
#[inline(always)]
pub(crate) fn insert(vrf: u32, key: &FlowKey, entry: &FlowEntry) -> Result<(), DropReason> {
    put(vrf, key, entry, BPF_ANY)
}

/// Sets an entry where there is none, not even one that has been idle for too long.
#[inline(always)]
pub(crate) fn insert_new(vrf: u32, key: &FlowKey, entry: &FlowEntry) -> Result<(), DropReason> {
    put(vrf, key, entry, BPF_NOEXIST)
}

#[inline(always)]
fn put(vrf: u32, key: &FlowKey, entry: &FlowEntry, flags: u32) -> Result<(), DropReason> {
    let table = FLOWS.get(vrf).ok_or(DropReason::NoFlowTable)?;
    table.insert(key, entry, flags.into()).map_err(|_| DropReason::NoFlowTable)
}
