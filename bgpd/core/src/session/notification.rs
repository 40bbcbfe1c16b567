use bgp_wire::message::Notification;
use bytes::Bytes;

/// Cease subcodes, RFC 4486 and RFC 8538.
pub mod cease_code {
    /// More routes than the operator allows.
    pub const MAX_PREFIXES: u8 = 1;
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

/// A NOTIFICATION in words, with what a Hard Reset wraps and what the operator wrote. Of Hard Resets within each other,
/// which nobody means, only the outermost is opened: a peer chooses how many there are.
pub fn describe(n: &Notification) -> String {
    match wrapped(n) {
        Some(inner) => format!("Hard Reset: {}", in_words(&inner)),
        None => in_words(n),
    }
}

fn wrapped(n: &Notification) -> Option<Notification> {
    match (n.code, n.subcode, &n.payload[..]) {
        (6, cease_code::HARD_RESET, [code, subcode, ..]) => {
            Some(Notification { code: *code, subcode: *subcode, payload: n.payload.slice(2..) })
        }
        _ => None,
    }
}

/// What the operator wrote is quoted with its control characters escaped: it goes to logs and terminals.
fn in_words(n: &Notification) -> String {
    let told = shutdown_message(n).map(|message| format!(": {message:?}")).unwrap_or_default();
    format!("{n}{told}")
}

/// RFC 9003: a length octet and UTF-8 text.
fn shutdown_message(n: &Notification) -> Option<&str> {
    if n.code != 6 || !matches!(n.subcode, cease_code::ADMIN_SHUTDOWN | cease_code::ADMIN_RESET) {
        return None;
    }
    let (len, text) = n.payload.split_first()?;
    std::str::from_utf8(text.get(..usize::from(*len))?).ok().filter(|t| !t.is_empty())
}
