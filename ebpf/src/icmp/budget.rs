//! Token buckets per CPU and VRF: one for errors, one for drop events. A flood costs little, and one tenant's does not
//! silence another's.

use aya_ebpf::{helpers::generated as helpers, macros::map, maps::PerCpuArray};

use crate::maps::VRF_SLOTS;

/// RFC 1812 section 4.3.2.8 and RFC 4443 section 2.4 (f) ask for a limit; Linux takes the same number.
const ERRORS_PER_SECOND: u64 = 1000;
/// Not so many that one tenant's fill the ring before user space reads it.
const EVENTS_PER_SECOND: u64 = 100;
const BURST: u64 = 50;

#[map]
static BUDGETS: PerCpuArray<u64> = PerCpuArray::with_max_entries(2 * VRF_SLOTS, 0);

/// Takes a token for an ICMP error of VRF `vrf`; ids beyond [`VRF_SLOTS`] share the buckets.
#[inline(always)]
pub(crate) fn take_error(vrf: u32) -> bool {
    take::<ERRORS_PER_SECOND>(vrf % VRF_SLOTS)
}

/// Takes a token for a drop event of VRF `vrf`.
#[inline(always)]
pub(crate) fn take_event(vrf: u32) -> bool {
    take::<EVENTS_PER_SECOND>(VRF_SLOTS + vrf % VRF_SLOTS)
}

/// Takes a token from a bucket. It holds the time up to which tokens have been spent: never more than [`BURST`]
/// tokens ago, never in the future.
#[inline(always)]
fn take<const PER_SECOND: u64>(bucket: u32) -> bool {
    let nanos_per_token = 1_000_000_000 / PER_SECOND;
    let Some(spent) = BUDGETS.get_ptr_mut(bucket) else { return false };
    // SAFETY: no memory is involved; then this CPU's own value.
    unsafe {
        let now = helpers::bpf_ktime_get_ns();
        let oldest = now.saturating_sub(BURST * nanos_per_token);
        let next = if *spent < oldest { oldest } else { *spent } + nanos_per_token;
        if next > now {
            return false;
        }
        *spent = next;
    }
    true
}
