//! SRv6 vocabulary: SIDs, locators, behaviours, drop reasons and the layouts of the eBPF maps.
//!
//! Everything here is `no_std` and free of dependencies, because the kernel programs, the dataplane, the BGP
//! codec and the planner all speak these words.
#![no_std]

mod behavior;
mod drop_reason;
mod locator;
pub mod maps;
mod sid;
mod structure;
mod vrf;

pub use behavior::Behavior;
pub use drop_reason::DropReason;
pub use locator::{Locator, LocatorError};
pub use sid::Sid;
pub use structure::{Label, SidStructure, StructureError, Transposition};
pub use vrf::VrfId;
