//! The ways of the kernel's main table to where routes of BGP lead: a route without one is not used (RFC 4271 section
//! 9.1.2.1, RFC 9252 section 5).
//!
//! The speaker names the addresses. They are looked up when they are new and after every change of interfaces, addresses
//! and routes; told is only what has changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::{Duration, Instant},
};

use bgp_core::rib::{NextHopUse, Reachability};
use tracing::{info, warn};
use vrf_manager::Links;

use super::chain;
use crate::kernel::Kernel;

/// How long after a start an underlay that is not whole yet proves nothing: what an earlier life has left goes on
/// forwarding meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// There is a way. What it costs is another protocol's business: the kernel's metric ranks routes to one destination, and
/// compares nothing between two.
const REACHABLE: Reachability = Reachability::Cost(0);

/// The addresses in use.
pub(super) struct NextHops {
    kernel: Kernel,
    /// With what the speaker was told of each.
    told: BTreeMap<IpAddr, Option<Reachability>>,
    patient_until: Instant,
}

/// What is to be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// What the speaker was told nothing of.
    New,
    /// Everything: the underlay has changed.
    All,
}

impl NextHops {
    pub(super) fn new(kernel: Kernel) -> Self {
        Self { kernel, told: BTreeMap::new(), patient_until: Instant::now() + PATIENCE }
    }

    /// Takes what the speaker has begun and ceased to use.
    pub(super) fn note(&mut self, uses: &[NextHopUse]) {
        for NextHopUse { address, used } in uses {
            match used {
                true => self.told.insert(*address, None),
                false => self.told.remove(address),
            };
        }
    }

    /// The verdicts that differ from what was told. `underlay_is_whole`: the kernel holds all that we want of it. Where it
    /// gives no answer, what was told stands.
    pub(super) async fn look_up(
        &mut self,
        which: Which,
        links: &Links,
        underlay_is_whole: bool,
    ) -> Vec<(IpAddr, Reachability)> {
        let up: BTreeSet<u32> = links.0.values().filter(|link| link.up).map(|link| link.index.0).collect();
        let patient = !underlay_is_whole && Instant::now() < self.patient_until;
        let mut verdicts = Vec::new();
        for (address, told) in self.told.iter_mut().filter(|(_, told)| which == Which::All || told.is_none())
        {
            // The kernel keeps routes over an interface that has lost its carrier.
            let way = match self.kernel.resolve(*address).await {
                Ok(way) => way.filter(|(_, ifindex)| up.contains(ifindex)),
                Err(error) => {
                    warn!("{}", chain(&error));
                    break;
                }
            };
            let verdict = way.map_or(Reachability::Unreachable, |_| REACHABLE);
            if *told == Some(verdict) || (patient && verdict == Reachability::Unreachable) {
                continue;
            }
            log(*address, told.replace(verdict), verdict);
            verdicts.push((*address, verdict));
        }
        verdicts
    }
}

fn log(address: IpAddr, before: Option<Reachability>, now: Reachability) {
    match (before, now) {
        (_, Reachability::Unreachable) => warn!(%address, "no way to a next hop: its routes are not used"),
        (Some(_), _) => info!(%address, "there is a way to the next hop again"),
        (None, _) => {}
    }
}
