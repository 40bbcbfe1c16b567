//! Packs routes into UPDATEs, as few as they need.

use std::borrow::Borrow;

use super::{
    Context, NextHop,
    frame::{begin, finish, kind},
    update::{put_family, put_with_next_hop},
};
use crate::{
    Family,
    attribute::{code, put_attribute},
    nlri::Nlri,
};

/// Writes the UPDATEs of one family towards one kind of peer. Routes of one attribute set go into one message
/// until it is full; nothing is allocated per route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateWriter {
    family: Family,
    add_path: bool,
    limit: usize,
}

/// The attributes leave no room for a route in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{octets} octets of attributes do not fit in a message of {limit} octets beside a route; shorten AS_PATH or communities, or negotiate extended messages (RFC 8654)"
)]
pub struct AttributesTooLong {
    /// Length of the attributes, next hop and headers included.
    pub octets: usize,
    /// Length of a message.
    pub limit: usize,
}

/// Where the lengths of a message are to be filled in.
#[derive(Clone, Copy)]
struct Started {
    message: usize,
    /// Start of what the list of routes is counted from: the value of an attribute or the withdrawn routes.
    list: usize,
}

impl UpdateWriter {
    /// `context` is that of the direction towards the peer.
    pub fn new(family: Family, context: &Context) -> Self {
        let add_path = context.add_path.contains(&family);
        Self { family, add_path, limit: context.message_max() }
    }

    /// Appends UPDATEs that announce `routes`. `attributes` are encoded, without next hop. IPv4 unicast with an
    /// IPv4 next hop takes the classic fields, anything else MP_REACH_NLRI, in front of the other attributes
    /// (RFC 7606 section 5.1).
    pub fn announce<R: Borrow<Nlri>>(
        &self,
        next_hop: NextHop,
        attributes: &[u8],
        routes: impl IntoIterator<Item = R>,
        out: &mut Vec<u8>,
    ) -> Result<(), AttributesTooLong> {
        if self.family == Family::Ipv4Unicast && matches!(next_hop, NextHop::V4(_)) {
            let start = |out: &mut Vec<u8>| start_classic(next_hop, attributes, out);
            return self.pack(false, routes, 0, out, start, |started, out| finish(started.message, out));
        }
        let start = |out: &mut Vec<u8>| self.start_reach(next_hop, out);
        self.pack(false, routes, attributes.len(), out, start, |started, out| {
            finish_multiprotocol(started, attributes, out);
        })
    }

    /// Appends UPDATEs that withdraw `routes`; labels are not looked at (RFC 8277 section 2.4).
    pub fn withdraw<R: Borrow<Nlri>>(&self, routes: impl IntoIterator<Item = R>, out: &mut Vec<u8>) {
        // Nothing but routes is in these messages, so they always have room.
        let _fits = match self.family {
            Family::Ipv4Unicast => self.pack(true, routes, 2, out, start_withdrawn, finish_withdrawn),
            family => {
                let start = |out: &mut Vec<u8>| start_unreach(family, out);
                self.pack(true, routes, 0, out, start, |started, out| {
                    finish_multiprotocol(started, &[], out);
                })
            }
        };
    }

    /// Appends the End-of-RIB marker, RFC 4724 section 2.
    pub fn end_of_rib(&self, out: &mut Vec<u8>) {
        let message = begin(kind::UPDATE, out);
        match self.family {
            Family::Ipv4Unicast => out.extend_from_slice(&[0; 4]),
            family => {
                out.extend_from_slice(&[0, 0, 0, 6]);
                put_attribute(code::OPTIONAL, code::MP_UNREACH_NLRI, out, |out| put_family(family, out));
            }
        }
        finish(message, out);
    }

    /// `start` writes a message up to its routes, `end` what follows them (`tail` octets) and the lengths.
    fn pack<R: Borrow<Nlri>>(
        &self,
        withdraw: bool,
        routes: impl IntoIterator<Item = R>,
        tail: usize,
        out: &mut Vec<u8>,
        start: impl Fn(&mut Vec<u8>) -> Started,
        end: impl Fn(Started, &mut Vec<u8>),
    ) -> Result<(), AttributesTooLong> {
        let mut started: Option<Started> = None;
        for route in routes {
            let mark = out.len();
            if let Some(open) = started {
                route.borrow().encode(self.family, self.add_path, withdraw, out);
                if out.len() + tail - open.message <= self.limit {
                    continue;
                }
                out.truncate(mark);
                end(open, out);
            }
            let open = start(out);
            let octets = out.len() + tail - open.message;
            if octets + Nlri::MAX_OCTETS > self.limit {
                out.truncate(open.message);
                return Err(AttributesTooLong { octets, limit: self.limit });
            }
            started = Some(open);
            route.borrow().encode(self.family, self.add_path, withdraw, out);
        }
        if let Some(open) = started {
            end(open, out);
        }
        Ok(())
    }

    fn start_reach(&self, next_hop: NextHop, out: &mut Vec<u8>) -> Started {
        let started = start_multiprotocol(code::MP_REACH_NLRI, out);
        put_family(self.family, out);
        next_hop.encode(self.family, out);
        out.push(0);
        started
    }
}

/// No withdrawn routes; the attributes, whose length is known; then the routes.
fn start_classic(next_hop: NextHop, attributes: &[u8], out: &mut Vec<u8>) -> Started {
    let message = begin(kind::UPDATE, out);
    out.extend_from_slice(&[0; 4]);
    let list = out.len();
    put_with_next_hop(attributes, Some(next_hop), out);
    let len = (out.len() - list) as u16;
    out[list - 2..list].copy_from_slice(&len.to_be_bytes());
    Started { message, list }
}

fn start_withdrawn(out: &mut Vec<u8>) -> Started {
    let message = begin(kind::UPDATE, out);
    out.extend_from_slice(&[0; 2]);
    Started { message, list: out.len() }
}

/// No path attributes.
fn finish_withdrawn(started: Started, out: &mut Vec<u8>) {
    put_length(started.list, out.len(), out);
    out.extend_from_slice(&[0; 2]);
    finish(started.message, out);
}

fn start_unreach(family: Family, out: &mut Vec<u8>) -> Started {
    let started = start_multiprotocol(code::MP_UNREACH_NLRI, out);
    put_family(family, out);
    started
}

/// Its value will hold routes, so its length takes two octets from the start.
fn start_multiprotocol(code: u8, out: &mut Vec<u8>) -> Started {
    let message = begin(kind::UPDATE, out);
    out.extend_from_slice(&[0, 0, 0, 0, code::OPTIONAL | code::EXTENDED_LENGTH, code, 0, 0]);
    Started { message, list: out.len() }
}

/// The other attributes, and the lengths of the first and of all.
fn finish_multiprotocol(started: Started, attributes: &[u8], out: &mut Vec<u8>) {
    put_length(started.list, out.len(), out);
    out.extend_from_slice(attributes);
    // Before the value: flags, type, two octets of length.
    put_length(started.list - 4, out.len(), out);
    finish(started.message, out);
}

/// Counts from `from` to `to`; the two octets before `from` are the length.
fn put_length(from: usize, to: usize, out: &mut [u8]) {
    let len = (to - from) as u16;
    out[from - 2..from].copy_from_slice(&len.to_be_bytes());
}
