//! The dataplane: owns the eBPF programs, their maps, pins and links.
//!
//! [`Dataplane`] is the seam: the planner compares [`State`] as observed with the one desired and applies
//! [`Change`]s. The eBPF backend does it in the kernel, the in-memory one in tests.

pub mod change;
pub mod ebpf;
pub mod explain;
pub mod memory;
pub mod model;
pub mod object;
mod sysctl;

pub use ebpf::EbpfDataplane;
pub use explain::explain;
pub use memory::MemoryDataplane;
pub use model::{Change, Dataplane, State};
