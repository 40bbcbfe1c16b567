//! What user space reads: tallies per VRF and SID, drops per VRF and reason.

use srv6_types::{
    DropReason,
    maps::{DropKey, Tally, service_counter, vrf_counter},
};

use crate::maps::{DROPS, SERVICE_COUNTERS, SID_COUNTERS, VRF_COUNTERS};

/// Counts a packet of `octets` in one of [`vrf_counter`].
#[inline(always)]
pub(crate) fn count(vrf: u32, counter: u32, octets: u32) {
    if counter < vrf_counter::COUNT {
        add(VRF_COUNTERS.get_ptr_mut(vrf.wrapping_mul(vrf_counter::COUNT) + counter), octets);
    }
}

/// Counts a packet of `octets` that reached a SID.
#[inline(always)]
pub(crate) fn count_sid(counter: u32, octets: u32) {
    add(SID_COUNTERS.get_ptr_mut(counter), octets);
}

/// Counts a packet of `octets` in one of [`service_counter`].
#[inline(always)]
pub(crate) fn count_service(service: u32, counter: u32, octets: u32) {
    add(SERVICE_COUNTERS.get_ptr_mut(service.wrapping_mul(service_counter::COUNT) + counter), octets);
}

/// Counts a drop, by reason and in the VRF's total.
#[inline(always)]
pub(crate) fn count_drop(vrf: u32, reason: DropReason, octets: u32) {
    count(vrf, vrf_counter::DROPPED, octets);
    let key = DropKey { vrf, reason: reason as u32 };
    match DROPS.get_ptr_mut(key) {
        // SAFETY: this CPU's own value.
        Some(drops) => unsafe { *drops += 1 },
        // Full: the VRF's total has it still.
        None => _ = DROPS.insert(key, 1, 0),
    }
}

#[inline(always)]
fn add(tally: Option<*mut Tally>, octets: u32) {
    if let Some(tally) = tally {
        // SAFETY: this CPU's own value.
        unsafe {
            (*tally).packets += 1;
            (*tally).bytes += u64::from(octets);
        }
    }
}
