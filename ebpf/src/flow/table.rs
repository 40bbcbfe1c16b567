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
    let entry = slot(vrf, key)?;
    let allowed = match key.kind {
        flow_kind::FRAGMENT => FRAGMENT_LIFETIME,
        _ => lifetime(key.protocol, entry.state),
    };
    if idle(entry) < allowed { Some(entry) } else { None }
}

/// An entry that has not been idle for `allowed` nanoseconds, whatever its protocol.
#[inline(always)]
pub(crate) fn find_within(vrf: u32, key: &FlowKey, allowed: u64) -> Option<&'static mut FlowEntry> {
    slot(vrf, key).filter(|entry| idle(entry) < allowed)
}

#[inline(always)]
fn slot(vrf: u32, key: &FlowKey) -> Option<&'static mut FlowEntry> {
    // SAFETY: entries are written word by word; a torn one would harm one packet of the same VRF.
    FLOWS.get(vrf)?.get_ptr_mut(key).map(|entry| unsafe { &mut *entry })
}

#[inline(always)]
fn idle(entry: &FlowEntry) -> u64 {
    now().saturating_sub(entry.seen)
}

/// Tells the entry of a flow's other direction what a packet has made of the flow. `false` where that entry has gone.
#[inline(always)]
pub(crate) fn tell(vrf: u32, key: &FlowKey, state: u32) -> bool {
    let Some(entry) = slot(vrf, key) else { return false };
    (entry.state, entry.seen) = (state, now());
    true
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

/// Sets an entry where there is none, or one that has been idle for too long, or one that says the same. `false` where it is
/// another's.
#[inline(always)]
pub(crate) fn claim(vrf: u32, key: &FlowKey, entry: &FlowEntry) -> Result<bool, DropReason> {
    if insert_new(vrf, key, entry).is_ok() {
        return Ok(true);
    }
    match find(vrf, key) {
        Some(other) if other.address != entry.address || other.ports != entry.ports => Ok(false),
        _ => insert(vrf, key, entry).map(|()| true),
    }
}

#[inline(always)]
fn put(vrf: u32, key: &FlowKey, entry: &FlowEntry, flags: u32) -> Result<(), DropReason> {
    let table = FLOWS.get(vrf).ok_or(DropReason::NoFlowTable)?;
    table.insert(key, entry, flags.into()).map_err(|_| DropReason::NoFlowTable)
}
