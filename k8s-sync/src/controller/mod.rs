//! The elected one: gives locators to nodes, and tells the authors of our objects what became of them.
//!
//! [`plan`] is pure: what there is in, what is to be written out. The runner around it watches, plans and writes.

mod allocate;
mod election;
mod holding;
mod lead;
mod mirror;
mod patience;
mod plan;
mod wanted;
mod worlds;
mod writer;

pub use election::{ControllerError, Options, run, run_with};
pub use plan::{AnyStatus, Facts, Standing, Status, Turned, Write, plan};
pub use worlds::Worlds;
