//! Token buckets per CPU: one for the errors of each VRF, one for the drop events. A flood costs little, and one
//! tenant's does not silence another's.

use aya_ebpf::{helpers::generated as helpers, macros::map, maps::PerCpuArray};

/// Buckets of VRFs; ids beyond share them.
const VRFS: u32 = 1024;
/// The bucket of the drop events.
pub(crate) const EVENTS: u32 = VRFS;
/// RFC 1812 section 4.3.2.8 and RFC 4443 section 2.4 (f) ask for a limit; Linux takes the same numbers.
const PER_SECOND: u64 = 1000;
const BURST: u64 = 50;
const NANOS_PER_TOKEN: u64 = 1_000_000_000 / PER_SECOND;

#[map]
static BUDGETS: PerCpuArray<u64> = PerCpuArray::with_max_entries(VRFS + 1, 0);

/// Takes a token for VRF `vrf`.
#[inline(always)]
pub(crate) fn take(vrf: u32) -> bool {
    take_from(vrf % VRFS)
}

/// Takes a token from a bucket. It holds the time up to which tokens have been spent: never more than [`BURST`]
/// tokens ago, never in the future.
#[inline(always)]
pub(crate) fn take_from(bucket: u32) -> bool {
    let Some(spent) = BUDGETS.get_ptr_mut(bucket) else { return false };
    // SAFETY: no memory is involved; then this CPU's own value.
    unsafe {
        let now = helpers::bpf_ktime_get_ns();
        let oldest = now.saturating_sub(BURST * NANOS_PER_TOKEN);
        let next = if *spent < oldest { oldest } else { *spent } + NANOS_PER_TOKEN;
        if next > now {
            return false;
        }
        *spent = next;
    }
    true
}
