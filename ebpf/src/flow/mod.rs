//! What a VRF remembers of flows, for services, egress addresses and filters.
//!
//! Each VRF has a table of its own, which forgets what was used least recently when it is full: a tenant's flood costs
//! nobody else a flow, and nobody has to clear up, also while no agent runs. What has been idle for longer than its
//! lifetime counts for nothing, whether it is still there or not.

mod draft;
mod fragment;
mod table;
mod track;

pub(crate) use draft::Draft;
pub(crate) use fragment::{recall_ports, remember_ports};
pub(crate) use table::{claim, find, find_within, has_table, insert, insert_new, tell};
pub(crate) use track::{begins_anew, implies_answer, now, touch};
