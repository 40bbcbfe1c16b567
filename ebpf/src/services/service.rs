use srv6_types::maps::{MAGLEV_ROW, MaglevTable, ServiceEntry, ServiceKey, service_flag};

use super::{Asked, backend::Chosen};
use crate::{
    maps::{MAGLEV, SERVICES},
    packet::{
        Family, Translation,
        hash::{mix, pair},
    },
};

/// The service that a packet is for.
#[derive(Clone, Copy)]
pub(super) struct Service {
    pub(super) entry: &'static ServiceEntry,
}

impl Service {
    #[inline(always)]
    pub(super) fn find(vrf: u32, translation: &Translation) -> Option<Self> {
        let tuple = &translation.leaves;
        let key = ServiceKey {
            vrf,
            address: tuple.destination.octets(),
            port: tuple.ports[1].to_ne_bytes(),
            protocol: translation.protocol,
            family: tuple.family as u8,
        };
        // SAFETY: values are replaced whole, and a torn read would harm one packet.
        unsafe { SERVICES.get(key) }.map(|entry| Self { entry })
    }

    /// The backend that the packet's hash falls on.
    #[inline(always)]
    pub(super) fn backend(&self, asked: &Asked, translation: &Translation) -> Option<Chosen> {
        let table = self.table(asked.anywhere);
        if table.size == 0 {
            return None;
        }
        let place = self.hash(translation) % table.size;
        let row = MAGLEV.get(table.row.wrapping_add(place / MAGLEV_ROW as u32))?;
        Chosen::new(asked, row[place as usize % MAGLEV_ROW])
    }

    #[inline(always)]
    const fn table(&self, anywhere: bool) -> &MaglevTable {
        let local = self.entry.flags & service_flag::LOCAL != 0 && self.entry.here.size != 0;
        if anywhere && !local { &self.entry.all } else { &self.entry.here }
    }

    /// Of the flow; of the client alone where it is to keep its backend. The same on every node, so that a flow that comes in
    /// by another one finds its backend there.
    #[inline(always)]
    fn hash(&self, translation: &Translation) -> u32 {
        let tuple = &translation.leaves;
        let [a, b, c, d] = tuple.source.0;
        let mut hash = mix(0, u64::from(a));
        if tuple.family == Family::V6 {
            hash = mix(mix(hash, pair(b, c)), u64::from(d));
        }
        if self.entry.affinity == 0 {
            let [e, f, g, h] = tuple.destination.0;
            let [from, to] = tuple.ports;
            hash = mix(mix(hash, pair(e, f)), pair(g, h));
            hash = mix(mix(hash, pair(from.into(), to.into())), translation.protocol.into());
        }
        (mix(hash, 0) >> 32) as u32
    }
}
