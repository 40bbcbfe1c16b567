//! The dataplane: owns the eBPF programs, their maps, pins and links.
//!
//! [`Dataplane`] is the seam: the planner compares [`State`] as observed with the one desired and applies
//! [`Change`]s. The eBPF backend (feature `ebpf`) does it in the kernel, the in-memory one in tests.

pub mod change;
#[cfg(feature = "ebpf")]
pub mod ebpf;
pub mod explain;
pub mod maglev;
pub mod memory;
pub mod model;
#[cfg(feature = "ebpf")]
pub mod object;
#[cfg(feature = "ebpf")]
pub mod sysctl;

#[cfg(feature = "ebpf")]
pub use ebpf::EbpfDataplane;
pub use explain::explain;
pub use memory::MemoryDataplane;
pub use model::{Change, Dataplane, State};
