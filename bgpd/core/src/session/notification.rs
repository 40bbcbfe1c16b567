use bgp_wire::message::Notification;
use bytes::Bytes;

/// Cease subcodes, RFC 4486 and RFC 8538.
pub mod cease_code {
    /// Shut down by the operator.
    pub const ADMIN_SHUTDOWN: u8 = 2;
    /// The peer is configured no more.
    pub const PEER_DECONFIGURED: u8 = 3;
    /// Cleared by the operator.
    pub const ADMIN_RESET: u8 = 4;
    /// Not configured, or resting.
    pub const CONNECTION_REJECTED: u8 = 5;
    /// Configured otherwise.
    pub const CONFIGURATION_CHANGE: u8 = 6;
    /// The other connection stays.
    pub const COLLISION: u8 = 7;
    /// The peer does not read what is sent.
    pub const OUT_OF_RESOURCES: u8 = 8;
    /// RFC 8538 section 3.1: carries the code, subcode and payload proper, and takes the routes.
    pub const HARD_RESET: u8 = 9;
}

pub(super) const HOLD_TIMER: Notification = plain(4, 0);

/// A Cease with one of the subcodes of [`cease_code`].
pub const fn cease(subcode: u8) -> Notification {
    plain(6, subcode)
}

pub(super) const fn plain(code: u8, subcode: u8) -> Notification {
    Notification { code, subcode, payload: Bytes::new() }
}

/// RFC 8538 section 3.1: the same, and the peer is not to keep the routes.
pub(super) fn hard(n: Notification) -> Notification {
    let mut payload = vec![n.code, n.subcode];
    payload.extend_from_slice(&n.payload);
    Notification { code: 6, subcode: cease_code::HARD_RESET, payload: payload.into() }
}

/// A NOTIFICATION in words, with its codes.
pub fn describe(n: &Notification) -> String {
    if (n.code, n.subcode) == (6, cease_code::HARD_RESET)
        && let [code, subcode, ..] = n.payload[..]
    {
        let inner = Notification { code, subcode, payload: n.payload.slice(2..) };
        return format!("Hard Reset: {}", describe(&inner));
    }
    let words = words(n.code, n.subcode);
    let told = shutdown_message(n).map(|m| format!(" \"{m}\"")).unwrap_or_default();
    format!("{words} ({}/{}){told}", n.code, n.subcode)
}

/// RFC 9003: a length octet and UTF-8 text.
fn shutdown_message(n: &Notification) -> Option<&str> {
    if n.code != 6 || !matches!(n.subcode, cease_code::ADMIN_SHUTDOWN | cease_code::ADMIN_RESET) {
        return None;
    }
    let (len, text) = n.payload.split_first()?;
    std::str::from_utf8(text.get(..usize::from(*len))?).ok().filter(|t| !t.is_empty())
}

fn words(code: u8, subcode: u8) -> &'static str {
    match (code, subcode) {
        (1, 1) => "Message Header Error: connection not synchronised",
        (1, 2) => "Message Header Error: bad message length",
        (1, 3) => "Message Header Error: bad message type",
        (1, _) => "Message Header Error",
        (2, 1) => "OPEN Message Error: unsupported version",
        (2, 2) => "OPEN Message Error: bad peer AS",
        (2, 3) => "OPEN Message Error: bad BGP identifier",
        (2, 4) => "OPEN Message Error: unsupported optional parameter",
        (2, 6) => "OPEN Message Error: unacceptable hold time",
        (2, 7) => "OPEN Message Error: unsupported capability",
        (2, _) => "OPEN Message Error",
        (3, 1) => "UPDATE Message Error: malformed attribute list",
        (3, 2) => "UPDATE Message Error: unrecognised well-known attribute",
        (3, 3) => "UPDATE Message Error: missing well-known attribute",
        (3, 4) => "UPDATE Message Error: attribute flags",
        (3, 5) => "UPDATE Message Error: attribute length",
        (3, 6) => "UPDATE Message Error: invalid ORIGIN",
        (3, 8) => "UPDATE Message Error: invalid NEXT_HOP",
        (3, 9) => "UPDATE Message Error: optional attribute",
        (3, 10) => "UPDATE Message Error: invalid network field",
        (3, 11) => "UPDATE Message Error: malformed AS_PATH",
        (3, _) => "UPDATE Message Error",
        (4, _) => "Hold Timer Expired",
        (5, 1) => "FSM Error: unexpected message in OpenSent",
        (5, 2) => "FSM Error: unexpected message in OpenConfirm",
        (5, 3) => "FSM Error: unexpected message in Established",
        (5, _) => "FSM Error",
        (6, 1) => "Cease: maximum number of prefixes reached",
        (6, 2) => "Cease: administrative shutdown",
        (6, 3) => "Cease: peer de-configured",
        (6, 4) => "Cease: administrative reset",
        (6, 5) => "Cease: connection rejected",
        (6, 6) => "Cease: other configuration change",
        (6, 7) => "Cease: connection collision resolution",
        (6, 8) => "Cease: out of resources",
        (6, 9) => "Cease: hard reset",
        (6, 10) => "Cease: BFD down",
        (6, _) => "Cease",
        (7, _) => "ROUTE-REFRESH Message Error",
        _ => "unknown error",
    }
}
