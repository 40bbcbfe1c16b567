//! The kernel's side: interfaces, and the routes of the underlay.

use tracing::{info, warn};
use vrf_manager::Desired;

use super::Node;
use crate::agent::{AgentError, chain, next_hops::Which, underlay::Hop};

/// MTU of the core where there is none yet, octets.
const ETHERNET: u32 = 1500;

impl Node {
    /// An interface, an address or a route of the kernel came, went or changed.
    pub(in crate::agent) async fn on_kernel(&mut self) -> Result<(), AgentError> {
        let links = self.kernel.links().await?;
        if links == self.links {
            self.reconcile_underlay().await?;
        } else {
            self.links = links;
            match self.dataplane.sweep() {
                Ok(gone) if gone.is_empty() => {}
                // What hung on it has left the maps already.
                Ok(_) => self.out_of_step = true,
                Err(error) => warn!("{}", chain(&error)),
            }
            self.replan().await?;
            // A pod's interface goes before the CNI plugin tells of it, and nobody shall wait for that.
            self.come_into_step()?;
        }
        Ok(())
    }

    /// For who knows of an interface that the kernel may not have told us of yet. Planning is up to him.
    pub(in crate::agent) async fn look_at_links(&mut self) -> Result<(), AgentError> {
        self.links = self.kernel.links().await?;
        Ok(())
    }

    pub(in crate::agent) fn has_interface(&self, name: &str) -> bool {
        self.links.get(name).is_some()
    }

    /// Sets an interface up or down that is not so.
    pub(in crate::agent) async fn set_link(&self, name: &str, up: bool) -> Result<(), AgentError> {
        match self.links.get(name).filter(|link| link.up != up) {
            Some(link) => Ok(self.kernel.set_link(link.index, up).await?),
            None => Ok(()),
        }
    }

    /// What a tenant's packet may have so that it fits every core interface with an outer header around it.
    pub(in crate::agent) fn tenants_mtu(&self) -> u32 {
        let full = self.intent.vrfs.iter().any(|vrf| !vrf.encapsulation.is_reduced());
        // An IPv6 header; and an SRH of one segment, RFC 8754 section 2.
        let outer = if full { 40 + 24 } else { 40 };
        let core = self.core.iter().filter_map(|name| self.links.get(name));
        let smallest = core.map(|link| link.mtu).min().unwrap_or(ETHERNET);
        // RFC 8200 section 5: with less there would be no IPv6 on the link at all.
        smallest.saturating_sub(outer).max(1280)
    }

    pub(super) async fn underlay(&mut self, desired: &Desired) -> Result<(), AgentError> {
        let (domain, core) = (desired.dataplane.node.domain.clone(), desired.core_interfaces.clone());
        self.core.clone_from(&core);
        self.underlay.set_domain(domain, core);
        let routes = desired.underlay.iter().map(|route| {
            let ifindex =
                route.interface.as_deref().and_then(|name| self.links.get(name)).map(|link| link.index.0);
            (route.prefix, Hop::on(route.via, ifindex))
        });
        self.underlay.set_static(routes);
        self.reconcile_underlay().await
    }

    pub(super) async fn reconcile_underlay(&mut self) -> Result<(), AgentError> {
        let problems = self.underlay.reconcile().await;
        // Told once, and not every time that it is tried again.
        if !self.underlay_incomplete {
            problems.iter().for_each(|error| warn!("{}; it is tried again", chain(error)));
        } else if problems.is_empty() {
            info!("every underlay route is in the kernel now");
        }
        self.underlay_incomplete = !problems.is_empty();
        self.look_up_next_hops(Which::All).await
    }

    /// Tells the speaker which next hops there is a way to.
    pub(super) async fn look_up_next_hops(&mut self, which: Which) -> Result<(), AgentError> {
        let verdicts = self.next_hops.look_up(which, &self.links, !self.underlay_incomplete).await;
        if !verdicts.is_empty() {
            self.speaker.set_next_hops(verdicts).await?;
        }
        Ok(())
    }
}
