//! What a peer is told of a route: whether at all, with which attributes, with which next hop.
//!
//! Next hops. Unicast: our own to external peers and with `next_hop_self`, unchanged within the AS (RFC 4271
//! section 5.1.3). VPN routes of others keep theirs everywhere: a changed next hop asks for a SID or label of our
//! own (RFC 9252 section 2, RFC 4364 section 10 b), and this speaker allocates none for transit. So external
//! VPN sessions do what RFC 4364 section 10 c describes, and the Prefix-SID goes on untouched.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bgp_wire::{
    Family,
    attribute::Attributes,
    message::{Context, NextHop},
};

use super::{
    attributes::{AttributeSet, Scope, SourceKind},
    route::PeerSession,
};

/// Who we are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speaker {
    pub(crate) asn: u32,
    pub(crate) router_id: Ipv4Addr,
    pub(crate) cluster_id: Ipv4Addr,
}

/// All that what a peer is told depends on: peers with equal classes are told the same, octet for octet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExportClass {
    external: bool,
    client: bool,
    next_hop_self: bool,
    local_address: IpAddr,
    local_v6: Option<Ipv6Addr>,
    families: Vec<(Family, bool)>,
    pub(crate) context: Context,
}

impl ExportClass {
    pub(crate) fn new(session: &PeerSession, speaker: &Speaker) -> Self {
        let mut families = session.families.clone();
        families.sort_unstable();
        Self {
            external: session.asn != speaker.asn,
            client: session.route_reflector_client,
            next_hop_self: session.next_hop_self,
            local_address: session.local_address,
            local_v6: session.local_v6,
            families,
            context: session.send.clone(),
        }
    }

    pub(crate) fn speaks(&self, family: Family) -> bool {
        self.families.iter().any(|(spoken, _)| *spoken == family)
    }

    /// Whether peers of this class are told of routes with these attributes, their origin aside: split horizon is
    /// a matter of the single peer.
    pub(crate) fn exports(&self, set: &AttributeSet, family: Family) -> bool {
        let reach = if self.external { Scope::Everybody } else { Scope::Internal };
        // RFC 4456 section 6.
        let reflected = set.source.kind != SourceKind::Internal || self.external || self.client;
        reflected && set.scope >= reach && self.next_hop(set, family).is_some()
    }

    /// The next hop to send; `None` where there is none that the family and the peer can take.
    pub(crate) fn next_hop(&self, set: &AttributeSet, family: Family) -> Option<NextHop> {
        let extended = self.families.iter().find(|(spoken, _)| *spoken == family)?.1;
        let local = set.source.kind == SourceKind::Local;
        let ours = match local {
            true => set.next_hop.global().is_unspecified(),
            false => !family.is_vpn() && (self.external || self.next_hop_self),
        };
        let next_hop =
            if ours { self.own_next_hop(family, extended)? } else { without_link_local(set.next_hop) };
        let fits = match (family, next_hop) {
            // RFC 8950 section 4.
            (Family::Ipv4Unicast | Family::Vpnv4, NextHop::V6 { .. }) => extended,
            (Family::Ipv6Unicast | Family::Vpnv6, NextHop::V4(_)) => false,
            _ => true,
        };
        fits.then_some(next_hop)
    }

    /// Our address on the session, in the form that suits SRv6 where there is a choice.
    fn own_next_hop(&self, family: Family, extended: bool) -> Option<NextHop> {
        let (v4, v6) = match self.local_address {
            IpAddr::V4(address) => (Some(NextHop::V4(address)), self.local_v6),
            IpAddr::V6(address) => (None, Some(address)),
        };
        let v6 = v6.map(|global| NextHop::V6 { global, link_local: None });
        match family {
            Family::Ipv6Unicast | Family::Vpnv6 => v6,
            Family::Ipv4Unicast => v4.or(v6.filter(|_| extended)),
            Family::Vpnv4 => v6.filter(|_| extended).or(v4),
        }
    }

    /// The attributes as peers of this class are told them.
    pub(crate) fn attributes(&self, set: &AttributeSet, family: Family, speaker: &Speaker) -> Attributes {
        let mut attributes = set.decode();
        attributes.pass_on_unknown();
        // RFC 8669 section 4: segment identifiers mean nothing outside of their domain; VPN peers are taken to be
        // within it.
        if !family.is_vpn() && (self.external || set.source.kind == SourceKind::External) {
            attributes.prefix_sid = None;
        }
        match self.external {
            true => externalize(&mut attributes, set, speaker),
            false => internalize(&mut attributes, set, speaker),
        }
        attributes
    }
}

/// RFC 4271 sections 5.1.2, 5.1.4 and 5.1.5, RFC 4456 section 8, RFC 4360 section 6.
fn externalize(attributes: &mut Attributes, set: &AttributeSet, speaker: &Speaker) {
    attributes.as_path.strip_confederation();
    attributes.as_path.prepend(speaker.asn);
    attributes.local_pref = None;
    attributes.originator_id = None;
    attributes.cluster_list.clear();
    attributes.extended_communities.retain(|community| community.is_transitive());
    if set.source.kind != SourceKind::Local {
        attributes.med = None;
    }
}

/// RFC 4271 section 5.1.5; where the route is reflected, RFC 4456 section 8.
fn internalize(attributes: &mut Attributes, set: &AttributeSet, speaker: &Speaker) {
    attributes.local_pref.get_or_insert(set.rank.local_pref);
    if matches!(set.source.kind, SourceKind::Internal | SourceKind::Client) {
        attributes.originator_id.get_or_insert(set.source.router_id);
        attributes.cluster_list.insert(0, speaker.cluster_id);
    }
}

/// RFC 2545 section 3: the link-local address is for who shares the subnet, which we do not know of others.
fn without_link_local(next_hop: NextHop) -> NextHop {
    match next_hop {
        NextHop::V6 { global, .. } => NextHop::V6 { global, link_local: None },
        v4 => v4,
    }
}
