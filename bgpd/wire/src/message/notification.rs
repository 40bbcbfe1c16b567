use std::fmt;

use bytes::Bytes;

/// A NOTIFICATION, RFC 4271 sections 4.5 and 6. Also the verdict of a decoder that must reset the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Error code.
    pub code: u8,
    /// Error subcode.
    pub subcode: u8,
    /// What the RFC asks to be quoted.
    pub payload: Bytes,
}

impl Notification {
    /// Error code: Message Header Error, RFC 4271 section 6.1.
    pub const HEADER: u8 = 1;
    /// Error code: OPEN Message Error, section 6.2.
    pub const OPEN: u8 = 2;
    /// Error code: UPDATE Message Error, section 6.3.
    pub const UPDATE: u8 = 3;
    /// Error code: Hold Timer Expired, section 6.5.
    pub const HOLD_TIMER: u8 = 4;
    /// Error code: Finite State Machine Error, section 6.6 and RFC 6608.
    pub const FSM: u8 = 5;
    /// Error code: Cease, section 6.7 and RFC 4486.
    pub const CEASE: u8 = 6;
    /// Error code: ROUTE-REFRESH Message Error, RFC 7313 section 5.
    pub const ROUTE_REFRESH: u8 = 7;

    pub(crate) const MALFORMED_ATTRIBUTE_LIST: u8 = 1;
    pub(crate) const UNRECOGNIZED_WELL_KNOWN: u8 = 2;
    pub(crate) const OPTIONAL_ATTRIBUTE: u8 = 9;
    pub(crate) const INVALID_NETWORK: u8 = 10;

    /// A copy of `payload` is quoted.
    pub fn new(code: u8, subcode: u8, payload: &[u8]) -> Self {
        Self { code, subcode, payload: Bytes::copy_from_slice(payload) }
    }

    pub(crate) fn update(subcode: u8, payload: &[u8]) -> Self {
        Self::new(Self::UPDATE, subcode, payload)
    }

    /// Names of code and subcode as the IANA registry has them; `None` for codes unknown.
    pub const fn names(&self) -> Option<(&'static str, Option<&'static str>)> {
        let names: (&str, &[&str]) = match self.code {
            Self::HEADER => (
                "Message Header Error",
                &["", "Connection Not Synchronized", "Bad Message Length", "Bad Message Type"],
            ),
            Self::OPEN => ("OPEN Message Error", OPEN),
            Self::UPDATE => ("UPDATE Message Error", UPDATE),
            Self::HOLD_TIMER => ("Hold Timer Expired", &[]),
            Self::FSM => (
                "Finite State Machine Error",
                &["", "Unexpected in OpenSent", "Unexpected in OpenConfirm", "Unexpected in Established"],
            ),
            Self::CEASE => ("Cease", CEASE),
            Self::ROUTE_REFRESH => ("ROUTE-REFRESH Message Error", &["", "Invalid Message Length"]),
            _ => return None,
        };
        let subcode = self.subcode as usize;
        let subname = if subcode < names.1.len() && !names.1[subcode].is_empty() {
            Some(names.1[subcode])
        } else {
            None
        };
        Some((names.0, subname))
    }
}

const OPEN: &[&str] = &[
    "",
    "Unsupported Version Number",
    "Bad Peer AS",
    "Bad BGP Identifier",
    "Unsupported Optional Parameter",
    "",
    "Unacceptable Hold Time",
    "Unsupported Capability",
];

const UPDATE: &[&str] = &[
    "",
    "Malformed Attribute List",
    "Unrecognized Well-known Attribute",
    "Missing Well-known Attribute",
    "Attribute Flags Error",
    "Attribute Length Error",
    "Invalid ORIGIN Attribute",
    "",
    "Invalid NEXT_HOP Attribute",
    "Optional Attribute Error",
    "Invalid Network Field",
    "Malformed AS_PATH",
];

const CEASE: &[&str] = &[
    "",
    "Maximum Number of Prefixes Reached",
    "Administrative Shutdown",
    "Peer De-configured",
    "Administrative Reset",
    "Connection Rejected",
    "Other Configuration Change",
    "Connection Collision Resolution",
    "Out of Resources",
    "Hard Reset",
    "BFD Down",
];

impl fmt::Display for Notification {
    /// `UPDATE Message Error (3), Invalid Network Field (10)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, subname) = self.names().unwrap_or(("error", None));
        write!(f, "{name} ({}), {} ({})", self.code, subname.unwrap_or("subcode"), self.subcode)
    }
}

impl std::error::Error for Notification {}
