//! The messages, RFC 4271 section 4, and route refresh, RFC 2918.

mod frame;
mod next_hop;
mod notification;
mod open;
mod update;
mod writer;

use std::collections::BTreeSet;

pub use frame::{EXTENDED_MESSAGE_MAX, HEADER_OCTETS, MESSAGE_MAX, frame_length};
pub use next_hop::NextHop;
pub use notification::Notification;
pub use open::Open;
pub use update::{Announced, Foreign, Update, Withdrawn};
pub use writer::{AttributesTooLong, UpdateWriter};

use crate::Family;

/// What a session has negotiated that changes the meaning of octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// AS numbers in AS_PATH and AGGREGATOR are 4 octets long (RFC 6793).
    pub four_octet_as: bool,
    /// Families whose NLRI carry path identifiers (RFC 7911), in the direction of this message.
    pub add_path: BTreeSet<Family>,
    /// Messages may be 65,535 octets long (RFC 8654); 4,096 otherwise.
    pub extended_message: bool,
    /// The peer is external: LOCAL_PREF, ORIGINATOR_ID and CLUSTER_LIST are discarded (RFC 7606 sections 7.5, 7.9,
    /// 7.10), and routes with segments of a confederation are not believed (RFC 5065 section 5).
    pub external: bool,
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// RFC 4271 section 4.2.
    Open(Open),
    /// RFC 4271 section 4.3.
    Update(Update),
    /// RFC 4271 section 4.5.
    Notification(Notification),
    /// RFC 4271 section 4.4.
    Keepalive,
    /// RFC 2918; subtypes of RFC 7313: 0 request, 1 begin, 2 end.
    RouteRefresh {
        /// Address family identifier, known to us or not.
        afi: u16,
        /// Subsequent address family identifier.
        safi: u8,
        /// RFC 7313 subtype.
        subtype: u8,
    },
}
