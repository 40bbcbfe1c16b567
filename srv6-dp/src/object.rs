//! The programs in the kernel as an ELF object, built by `build.rs`.

use std::{io, os::fd::OwnedFd};

use srv6_types::maps::{FlowEntry, FlowKey};

/// The object: programs `circuit_ingress`, `circuit_egress` and `core_ingress` and the maps of [`srv6_types::maps`].
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sixedge.o"));

/// Programs that generate, redirect and sink the frames of `make bench`. Only who names it carries it.
pub static GENERATOR: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/generator.o"));

/// An empty flow table as the map `FLOWS` takes it, for who fills the maps by hand.
pub fn flow_table(entries: u32) -> io::Result<OwnedFd> {
    let (key, value) = (size_of::<FlowKey>() as u32, size_of::<FlowEntry>() as u32);
    crate::ebpf::create_lru_hash("sixedge_flows", key, value, entries)
}
