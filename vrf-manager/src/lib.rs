//! The provider edge model: intent in, desired dataplane and advertisements out. Pure: no clock, no I/O.
//!
//! The agent calls, in this order, for every new intent or change of an interface:
//! [`intent::check`], [`Allocations::settle`] (and saves what came out), [`plan()`], [`VrfTables::replan`]; then it
//! carries out the [`Transition`]. Routes from BGP go through [`VrfTables::learn`] one at a time.

pub mod allocate;
pub mod intent;
pub mod plan;
pub mod table;
#[cfg(test)]
mod testing;
pub mod view;

pub use allocate::Allocations;
pub use plan::{Desired, Links, Problem, plan};
pub use table::{Advertisements, Transition, VrfTables};
