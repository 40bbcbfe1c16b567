use aya_ebpf::{macros::map, maps::PerCpuArray};
use srv6_types::maps::{FlowEntry, FlowKey};

/// An entry while it is made or looked for: the stack is short.
#[repr(C)]
pub(crate) struct Draft {
    pub(crate) entry: FlowEntry,
    pub(crate) key: FlowKey,
}

#[map]
static DRAFT: PerCpuArray<Draft> = PerCpuArray::with_max_entries(1, 0);

impl Draft {
    /// This CPU's; whoever calls may write over it.
    #[inline(always)]
    pub(crate) fn of_this_cpu() -> Option<&'static mut Self> {
        // SAFETY: the program runs with bottom halves off, and no reference outlives the function that took it.
        DRAFT.get_ptr_mut(0).map(|draft| unsafe { &mut *draft })
    }
}
