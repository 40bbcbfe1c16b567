//! Services: packets to VIPs and the answers, what stands behind their IP headers, and what is made of errors about them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod backends;
mod errors;
mod fragments;
mod hostile;
mod lab;
#[path = "../support/mod.rs"]
mod support;
mod translation;
mod ways;

use lab::*;
use srv6_types::DropReason;
use support::{packet::*, *};
