use std::net::IpAddr;

use bgp_core::{
    config::{PeerId, SpeakerConfig},
    rib::{LocalRoute, NextHopUse, Reachability, RouteView, UnicastRoute, VrfRoute},
    speaker::{ConfigureError, PeerView},
};
use bgp_wire::{Family, nlri::Prefix};
use srv6_types::VrfId;
use tokio::sync::{mpsc, oneshot};

/// What a speaker tells its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Best routes that have changed, in order.
    Routes(Vec<RouteChange>),
    /// A session is up.
    PeerUp {
        /// Whose.
        peer: PeerId,
        /// Its address.
        address: IpAddr,
        /// What it carries.
        families: Vec<Family>,
    },
    /// A session is down.
    PeerDown {
        /// Whose.
        peer: PeerId,
        /// Its address.
        address: IpAddr,
        /// Why, in words.
        reason: String,
        /// Families whose routes are kept for now.
        retained: Vec<Family>,
    },
    /// A peer has sent all its routes; they were told before this.
    EndOfRib {
        /// Whose.
        peer: PeerId,
        /// Which.
        family: Family,
    },
    /// After a restart all that was waited for is in: forwarding state that no route stands for may go.
    RestartComplete,
    /// Next hops to look up in the underlay, and again whenever it changes, until they are used no more.
    NextHops(Vec<NextHopUse>),
}

/// One best route that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteChange {
    /// In a VRF.
    Vrf(VrfRoute),
    /// For the kernel's table.
    Unicast(UnicastRoute),
}

/// The speaker has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the BGP speaker has ended")]
pub struct Gone;

/// Asks and tells a running speaker.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
}

pub(crate) enum Command {
    Configure(Box<SpeakerConfig>, oneshot::Sender<Result<(), ConfigureError>>),
    Announce(Vec<LocalRoute>),
    Withdraw(Vec<(VrfId, Prefix)>),
    NextHops(Vec<(IpAddr, Reachability)>),
    Clear(IpAddr, oneshot::Sender<bool>),
    Refresh(IpAddr, Family, oneshot::Sender<bool>),
    Peers(oneshot::Sender<Vec<PeerView>>),
    Routes(Family, Option<Prefix>, oneshot::Sender<Vec<RouteView>>),
    Shutdown { keep: bool, done: oneshot::Sender<()> },
}

impl Handle {
    pub(crate) const fn new(commands: mpsc::Sender<Command>) -> Self {
        Self { commands }
    }

    /// Takes a new configuration over; sessions that it does not concern go on. Addresses listened at are
    /// bound anew where they differ.
    pub async fn configure(&self, config: SpeakerConfig) -> Result<Result<(), ConfigureError>, Gone> {
        self.ask(|answer| Command::Configure(Box::new(config), answer)).await
    }

    /// Originates routes, or changes them.
    pub async fn announce(&self, routes: Vec<LocalRoute>) -> Result<(), Gone> {
        self.commands.send(Command::Announce(routes)).await.map_err(|_| Gone)
    }

    /// Stops originating routes.
    pub async fn withdraw(&self, routes: Vec<(VrfId, Prefix)>) -> Result<(), Gone> {
        self.commands.send(Command::Withdraw(routes)).await.map_err(|_| Gone)
    }

    /// What the underlay says of addresses that [`Event::NextHops`] told of; until then they count as reachable at cost
    /// 0. Those that change together are best told together: the tables are walked once per call.
    pub async fn set_next_hops(&self, verdicts: Vec<(IpAddr, Reachability)>) -> Result<(), Gone> {
        self.commands.send(Command::NextHops(verdicts)).await.map_err(|_| Gone)
    }

    /// Resets the session with a peer (Cease 6/4); `false`: there is no such peer.
    pub async fn clear(&self, peer: IpAddr) -> Result<bool, Gone> {
        self.ask(|answer| Command::Clear(peer, answer)).await
    }

    /// Asks a peer for its routes again (RFC 2918); `false`: there is no such peer.
    pub async fn refresh(&self, peer: IpAddr, family: Family) -> Result<bool, Gone> {
        self.ask(|answer| Command::Refresh(peer, family, answer)).await
    }

    /// Every peer.
    pub async fn peers(&self) -> Result<Vec<PeerView>, Gone> {
        self.ask(Command::Peers).await
    }

    /// Every path of a family; of one prefix only where given.
    pub async fn routes(&self, family: Family, prefix: Option<Prefix>) -> Result<Vec<RouteView>, Gone> {
        self.ask(|answer| Command::Routes(family, prefix, answer)).await
    }

    /// Ends the speaker. `keep`: connections are closed without a word, so that peers that help a graceful
    /// restart keep the routes; otherwise each is told Cease 6/2.
    pub async fn shutdown(&self, keep: bool) -> Result<(), Gone> {
        self.ask(|done| Command::Shutdown { keep, done }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }
}
