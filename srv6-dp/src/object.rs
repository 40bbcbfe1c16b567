//! The programs in the kernel as an ELF object, built by `build.rs`.

/// The object: programs `circuit_ingress`, `circuit_egress` and `core_ingress` and the maps of [`srv6_types::maps`].
pub static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/sixedge.o"));

/// Programs that generate, redirect and sink the frames of `make bench`. Only who names it carries it.
pub static GENERATOR: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/generator.o"));
