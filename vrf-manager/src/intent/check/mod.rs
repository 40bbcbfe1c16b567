//! What contradicts itself in an intent, whatever it was read from. Paths are written in the configuration's own
//! keys, so that a reader can find the place in its text.

mod bgp;
mod circuit;
mod egress;
mod filter;
pub mod limits;
mod node;
mod own;
mod route;
mod service;
#[cfg(test)]
mod tests;
mod vrf;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use super::Intent;

/// A place in the intent that cannot stay as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}; {remedy}")]
pub struct IntentError {
    /// The place, as in `vrfs[0].attachmentCircuits[1].addresses[0]`.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// Every contradiction, in the order of the configuration; empty when the intent can be planned.
pub fn check(intent: &Intent) -> Vec<IntentError> {
    let mut faults = Faults::default();
    node::router(&intent.router, &mut faults);
    node::srv6(intent, &mut faults);
    bgp::check(intent, &mut faults);
    vrf::check(intent, &mut faults);
    limits::check(intent, &mut faults);
    node::underlay(intent, &mut faults);
    faults.0
}

#[derive(Default)]
struct Faults(Vec<IntentError>);

impl Faults {
    fn add(&mut self, path: impl fmt::Display, problem: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(IntentError { path: path.to_string(), problem: problem.into(), remedy: remedy.into() });
    }

    fn add_if(&mut self, wrong: bool, path: impl fmt::Display, problem: &str, remedy: &str) {
        if wrong {
            self.add(path, problem, remedy);
        }
    }
}

/// Finds what stands twice: remembers where each key was first seen.
struct Seen<K>(BTreeMap<K, String>);

impl<K: Ord> Seen<K> {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The path at which `key` was seen before.
    fn before(&mut self, key: K, path: &str) -> Option<String> {
        if let Some(first) = self.0.get(&key) {
            return Some(first.clone());
        }
        self.0.insert(key, path.to_owned());
        None
    }
}

/// RFC 7607 and RFC 6793 section 9: numbers that no AS has.
fn is_reserved_as(asn: u32) -> bool {
    matches!(asn, 0 | 23456)
}

/// Addresses that no single host can be reached at.
fn is_no_host(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    address.is_unspecified() || address.is_multicast() || broadcast
}
