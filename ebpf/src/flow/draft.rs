use aya_ebpf::{macros::map, maps::PerCpuArray};
use srv6_types::maps::{FlowEntry, FlowKey};

use crate::packet::Tuple;

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

    /// Field by field, in place.
    #[inline(always)]
    pub(crate) fn set_key(&mut self, tuple: &Tuple, protocol: u8, kind: u16) {
        self.key.source = tuple.source.octets();
        self.key.destination = tuple.destination.octets();
        self.set_ports([tuple.ports[0], tuple.ports[1]]);
        (self.key.scope, self.key.kind) = (0, kind);
        (self.key.protocol, self.key.family) = (protocol, tuple.family as u8);
    }

    /// The key of the packets that answer those of `tuple`.
    #[inline(always)]
    pub(crate) fn set_answers_key(&mut self, tuple: &Tuple, protocol: u8, kind: u16) {
        self.key.source = tuple.destination.octets();
        self.key.destination = tuple.source.octets();
        self.set_ports([tuple.ports[1], tuple.ports[0]]);
        (self.key.scope, self.key.kind) = (0, kind);
        (self.key.protocol, self.key.family) = (protocol, tuple.family as u8);
    }

    #[inline(always)]
    pub(crate) fn set_ports(&mut self, ports: [u16; 2]) {
        let [[a, b], [c, d]] = [ports[0].to_ne_bytes(), ports[1].to_ne_bytes()];
        self.key.ports = [a, b, c, d];
    }
}
