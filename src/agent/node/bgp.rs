//! What the speaker tells, on its way to the dataplane and to the kernel.

use std::collections::BTreeMap;

use bgp_core::rib::UnicastRoute;
use bgp_wire::Family;
use bgpd::{Event, RouteChange};
use ipnet::IpNet;
use tracing::{error, info, warn};

use super::{Node, apply};
use crate::agent::{AgentError, chain, next_hops::Which, underlay::Hop};

impl Node {
    /// Takes what the speaker tells.
    pub(in crate::agent) async fn on_bgp(&mut self, event: Event) -> Result<(), AgentError> {
        match event {
            Event::Routes(changes) => self.learn(changes).await?,
            Event::NextHops(uses) => {
                self.next_hops.note(&uses);
                self.look_up_next_hops(Which::New).await?;
            }
            Event::RestartComplete => self.sweep().await,
            // Told to the log by the speaker.
            Event::PeerUp { .. } | Event::PeerDown { .. } | Event::EndOfRib { .. } => {}
        }
        Ok(())
    }

    async fn learn(&mut self, routes: Vec<RouteChange>) -> Result<(), AgentError> {
        let mut changes = Vec::new();
        let mut installed = false;
        for route in routes {
            match route {
                RouteChange::Vrf(route) => changes.extend(self.tables.learn(&route)),
                RouteChange::Unicast(route) if self.intent.bgp.install_unicast => {
                    self.install(route).await;
                    installed = true;
                }
                RouteChange::Unicast(_) => {}
            }
        }
        self.out_of_step |= !apply(&mut self.dataplane, &changes);
        // The kernel does not tell us of what we install ourselves.
        if installed { self.look_up_next_hops(Which::All).await } else { Ok(()) }
    }

    /// `installUnicast` was turned on or off: the kernel is to have every best route, or none.
    pub(super) async fn install_anew(&mut self) -> Result<(), AgentError> {
        self.underlay.forget_bgp();
        if self.intent.bgp.install_unicast {
            let peers = self.speaker.peers().await?;
            let peers: BTreeMap<_, _> = peers.iter().map(|peer| (peer.peer, peer.address)).collect();
            for family in [Family::Ipv4Unicast, Family::Ipv6Unicast] {
                let routes = self.speaker.routes(family, None).await?;
                for route in routes.iter().filter(|route| route.best) {
                    if let (Some(peer), Ok(prefix)) = (peers.get(&route.peer), IpNet::try_from(route.prefix))
                    {
                        self.underlay.want_bgp(prefix, Hop::told_by(*peer, route.next_hop.forwarding()));
                    }
                }
            }
        }
        self.reconcile_underlay().await
    }

    async fn install(&mut self, route: UnicastRoute) {
        let Ok(prefix) = IpNet::try_from(route.prefix) else { return };
        let hop = route.path.map(|path| Hop::told_by(path.peer_address, path.next_hop));
        if let Err(error) = self.underlay.set_bgp(prefix, hop).await {
            warn!("{}", chain(&error));
        }
    }

    /// BGP has told all it knows: what it has not confirmed goes, and maps of a new layout are filled.
    pub(super) async fn sweep(&mut self) {
        let changes = self.tables.sweep();
        info!(removed = changes.len(), "routes from before the restart that nobody confirmed");
        self.out_of_step |= !apply(&mut self.dataplane, &changes);
        if let Err(error) = self.dataplane.commit() {
            error!("{}", chain(&error));
        }
        for error in self.underlay.sweep().await {
            warn!("{}", chain(&error));
        }
    }
}
