//! A new configuration is a diff: sessions that it does not concern go on.

use std::{collections::BTreeMap, net::IpAddr, time::Instant};

use super::{
    Output, Speaker,
    peer::{Peer, Slot},
};
use crate::{
    config::{PeerConfig, PeerId, SpeakerConfig},
    session::{Event, cease, cease_code},
};

/// Why a configuration was refused; the old one stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigureError {
    /// The tables of a speaker belong to one AS and one identifier.
    #[error("asn, router id and cluster id cannot change while the speaker runs; restart it")]
    Identity,
}

impl Speaker {
    /// Takes a new configuration over.
    pub fn configure(
        &mut self,
        config: SpeakerConfig,
        now: Instant,
        out: &mut Vec<Output>,
    ) -> Result<(), ConfigureError> {
        let identity = |c: &SpeakerConfig| (c.asn, c.router_id, c.cluster_id);
        if identity(&config) != identity(&self.config) {
            return Err(ConfigureError::Identity);
        }
        if config.vrfs != self.config.vrfs {
            self.rib.set_vrfs(config.vrfs.clone());
        }
        self.rib.track_next_hops(config.next_hop_tracking);
        let peers = config.peers;
        self.config = SpeakerConfig { peers: BTreeMap::new(), ..config };
        self.set_peers(&peers, now, out);
        Ok(())
    }

    pub(super) fn set_peers(
        &mut self,
        wanted: &BTreeMap<IpAddr, PeerConfig>,
        now: Instant,
        out: &mut Vec<Output>,
    ) {
        let known = self.by_address.iter().map(|(address, id)| (*address, *id));
        let gone: Vec<_> = known.filter(|(address, _)| !wanted.contains_key(address)).collect();
        for (address, id) in gone {
            self.remove_peer(address, id, now, out);
        }
        for (address, config) in wanted {
            match self.by_address.get(address).copied() {
                Some(id) => self.change_peer(id, config, now, out),
                None => self.add_peer(*address, config, now, out),
            }
        }
    }

    fn add_peer(&mut self, address: IpAddr, config: &PeerConfig, now: Instant, out: &mut Vec<Output>) {
        let id = PeerId(self.next_peer);
        self.next_peer += 1;
        self.by_address.insert(address, id);
        self.peers.insert(id, Peer::new(id, address, config.clone(), &self.config));
        self.config.peers.insert(address, config.clone());
        self.drive_slot(id, Slot::Main, Event::Start, now, out);
    }

    fn remove_peer(&mut self, address: IpAddr, id: PeerId, now: Instant, out: &mut Vec<Output>) {
        self.stop(id, cease(cease_code::PEER_DECONFIGURED), now, out);
        self.forget_stale(id);
        self.peers.remove(&id);
        self.by_address.remove(&address);
        self.forget_deferral(id);
    }

    fn change_peer(&mut self, id: PeerId, config: &PeerConfig, now: Instant, out: &mut Vec<Output>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        self.config.peers.insert(peer.address, config.clone());
        let reset = needs_new_session(&peer.config, config);
        let reconnect = !peer.main.state.is_connected() && reaches_differently(&peer.config, config);
        if reset || reconnect {
            self.stop(id, cease(cease_code::CONFIGURATION_CHANGE), now, out);
        }
        if reset {
            self.forget_stale(id);
        }
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.set_config(config.clone(), &self.config);
        }
        if reset || reconnect {
            self.drive_slot(id, Slot::Main, Event::Start, now, out);
        }
    }
}

/// What was negotiated, advertised or signed with the old values cannot stand.
fn needs_new_session(old: &PeerConfig, new: &PeerConfig) -> bool {
    let advertised = |c: &PeerConfig| (c.route_reflector_client, c.next_hop_self);
    let negotiated = |c: &PeerConfig| (c.asn, c.local_address, c.hold_time, c.keepalive);
    advertised(old) != advertised(new)
        || negotiated(old) != negotiated(new)
        || old.families != new.families
        || old.transport != new.transport
}

/// An attempt to connect, or waiting for the peer to do so, cannot go on as it began; with another limit a peer that
/// has sent too much is tried again.
fn reaches_differently(old: &PeerConfig, new: &PeerConfig) -> bool {
    (old.passive, old.port, old.max_prefixes) != (new.passive, new.port, new.max_prefixes)
}
