use std::{
    collections::BTreeSet,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use super::notification::plain;
use bgp_wire::{
    Family,
    capability::{Capability, GracefulRestart},
    message::{Context, Notification, Open},
};

/// AS_TRANS, RFC 6793: stands in the 2-octet field for a number that does not fit.
const AS_TRANS: u16 = 23456;
const IPV6: u16 = 2;

/// What we bring into a session with one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Our AS number.
    pub asn: u32,
    /// Our BGP identifier.
    pub router_id: Ipv4Addr,
    /// AS number that the peer must have.
    pub peer_asn: u32,
    /// Never connect.
    pub passive: bool,
    /// Proposed hold time, 0 or at least 3 seconds.
    pub hold_time: Duration,
    /// Proposed keepalive interval.
    pub keepalive: Duration,
    /// Time between attempts to connect, and for one of them.
    pub connect_retry: Duration,
    /// Families we want.
    pub families: BTreeSet<Family>,
    /// RFC 4724 as we offer it; no families: we only help others.
    pub graceful_restart: GracefulRestart,
}

/// What both sides have agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The peer's AS number.
    pub asn: u32,
    /// The peer's BGP identifier.
    pub router_id: Ipv4Addr,
    /// The lesser of both; 0: none, and no keepalives.
    pub hold_time: Duration,
    /// A third of the hold time at most.
    pub keepalive: Duration,
    /// Families of both, with whether IPv4 routes may have an IPv6 next hop (RFC 8950). May be empty.
    pub families: Vec<(Family, bool)>,
    /// RFC 2918.
    pub route_refresh: bool,
    /// RFC 4724 as the peer offers it.
    pub graceful_restart: Option<GracefulRestart>,
    /// Whether both sides set the N bit (RFC 8538).
    pub notification_bit: bool,
    /// How what comes is decoded.
    pub receive: Context,
    /// How what goes is encoded.
    pub send: Context,
    /// All that the peer offered.
    pub capabilities: Vec<Capability>,
}

impl Local {
    /// Our OPEN. Add-path and enhanced refresh are not offered.
    pub fn open(&self) -> Open {
        let mut capabilities: Vec<_> = self.families.iter().copied().map(Capability::family).collect();
        let extended = self.extended_next_hops();
        if !extended.is_empty() {
            capabilities.push(Capability::ExtendedNextHop(extended));
        }
        capabilities.extend([
            Capability::RouteRefresh,
            Capability::ExtendedMessage,
            Capability::FourOctetAs(self.asn),
            Capability::GracefulRestart(self.graceful_restart.clone()),
        ]);
        Open {
            my_as: u16::try_from(self.asn).unwrap_or(AS_TRANS),
            hold_time: u16::try_from(self.hold_time.as_secs()).unwrap_or(u16::MAX),
            router_id: self.router_id,
            capabilities,
        }
    }

    fn extended_next_hops(&self) -> Vec<(u16, u16, u16)> {
        let ipv4 = self.families.iter().filter(|f| f.is_ipv4());
        ipv4.map(|f| f.code()).map(|(afi, safi)| (afi, u16::from(safi), IPV6)).collect()
    }

    /// RFC 4271 section 6.2 and RFC 5492: what an OPEN amounts to, or the NOTIFICATION that refuses it.
    /// A session with no family in common comes up all the same and carries nothing.
    pub fn negotiate(&self, open: &Open) -> Result<Negotiated, Notification> {
        let offered = Offered::read(open);
        self.check(open)?;
        let hold_time = self.hold_time.min(Duration::from_secs(u64::from(open.hold_time)));
        let notification_bit = self.graceful_restart.notification
            && offered.graceful_restart.as_ref().is_some_and(|g| g.notification);
        let context = |extended_message| Context {
            four_octet_as: offered.four_octet_as,
            add_path: BTreeSet::new(),
            extended_message,
            external: self.asn != self.peer_asn,
        };
        Ok(Negotiated {
            asn: self.peer_asn,
            router_id: open.router_id,
            hold_time,
            keepalive: self.keepalive.min(hold_time / 3),
            families: self.common(&offered),
            route_refresh: offered.route_refresh,
            notification_bit,
            receive: context(true),
            send: context(offered.extended_message),
            graceful_restart: offered.graceful_restart,
            capabilities: open.capabilities.clone(),
        })
    }

    fn check(&self, open: &Open) -> Result<(), Notification> {
        let asn = open.asn();
        if asn != self.peer_asn {
            return Err(plain(2, 2));
        }
        let same_as_ours = asn == self.asn && open.router_id == self.router_id;
        if open.router_id.is_unspecified() || same_as_ours {
            return Err(plain(2, 3));
        }
        if matches!(open.hold_time, 1 | 2) {
            return Err(plain(2, 6));
        }
        Ok(())
    }

    fn common(&self, offered: &Offered) -> Vec<(Family, bool)> {
        let ours = self.families.iter().copied().filter(|f| offered.families.contains(f));
        ours.map(|f| (f, f.is_ipv4() && offered.extended_next_hop.contains(&f))).collect()
    }
}

impl Negotiated {
    /// Whether the peer said that it may restart and keep forwarding.
    pub fn peer_restarts_gracefully(&self) -> bool {
        self.graceful_restart.as_ref().is_some_and(|g| !g.families.is_empty())
    }

    /// Until when a helper waits for the peer that was lost at `now` (RFC 4724 section 4.2).
    pub fn restart_deadline(&self, now: Instant) -> Instant {
        let seconds = self.graceful_restart.as_ref().map_or(0, |g| g.restart_time);
        now + Duration::from_secs(u64::from(seconds))
    }

    /// Families that the peer restarts gracefully and that are in use.
    pub fn restartable(&self) -> Vec<Family> {
        self.graceful(|_| true)
    }

    /// Those for which it says that forwarding went on: F bit.
    pub fn forwarding_kept(&self) -> Vec<Family> {
        self.graceful(|kept| kept)
    }

    fn graceful(&self, wanted: impl Fn(bool) -> bool) -> Vec<Family> {
        let listed = self.graceful_restart.iter().flat_map(|g| &g.families);
        listed
            .filter(|(.., kept)| wanted(*kept))
            .filter_map(|(afi, safi, _)| Family::from_code(*afi, *safi))
            .filter(|family| self.families.iter().any(|(f, _)| f == family))
            .collect()
    }
}

/// The capabilities of an OPEN that we heed.
#[derive(Default)]
struct Offered {
    families: BTreeSet<Family>,
    extended_next_hop: BTreeSet<Family>,
    four_octet_as: bool,
    route_refresh: bool,
    extended_message: bool,
    graceful_restart: Option<GracefulRestart>,
}

impl Offered {
    fn read(open: &Open) -> Self {
        let families = open.families().into_iter().collect();
        let mut offered = Self { families, ..Self::default() };
        for capability in &open.capabilities {
            match capability {
                Capability::ExtendedNextHop(list) => offered.extended_next_hop.extend(ipv6_next_hops(list)),
                Capability::FourOctetAs(_) => offered.four_octet_as = true,
                Capability::RouteRefresh => offered.route_refresh = true,
                Capability::ExtendedMessage => offered.extended_message = true,
                Capability::GracefulRestart(g) => offered.graceful_restart = Some(g.clone()),
                _ => {}
            }
        }
        offered
    }
}

fn ipv6_next_hops(list: &[(u16, u16, u16)]) -> impl Iterator<Item = Family> {
    let ipv6 = list.iter().filter(|(.., next_hop)| *next_hop == IPV6);
    ipv6.filter_map(|(afi, safi, _)| Family::from_code(*afi, u8::try_from(*safi).ok()?))
}
