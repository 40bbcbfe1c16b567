//! The CNI specification, <https://www.cni.dev/docs/spec/>: what a runtime says, and what it is told.

mod call;
mod config;
mod failure;
mod outcome;
mod version;

pub(crate) use self::{
    call::{Call, Command},
    config::{Config, Mode, Previous},
    failure::Failure,
    outcome::{Interface, Ip, Outcome, Route},
    version::Version,
};
