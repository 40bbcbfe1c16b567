//! The message header, RFC 4271 sections 4.1 and 6.1, and the messages around the UPDATE.

use bytes::Bytes;

use super::{Context, Message, Notification, Open, Update};
use crate::reader::Reader;

/// Marker 16, length 2, type 1.
pub const HEADER_OCTETS: usize = 19;
/// Longest message, RFC 4271 section 4.1.
pub const MESSAGE_MAX: usize = 4096;
/// Longest message with the capability of RFC 8654.
pub const EXTENDED_MESSAGE_MAX: usize = 65535;

const MARKER: [u8; 16] = [0xff; 16];

/// Message types.
pub(crate) mod kind {
    pub(crate) const OPEN: u8 = 1;
    pub(crate) const UPDATE: u8 = 2;
    pub(crate) const NOTIFICATION: u8 = 3;
    pub(crate) const KEEPALIVE: u8 = 4;
    pub(crate) const ROUTE_REFRESH: u8 = 5;
}

mod subcode {
    pub(super) const NOT_SYNCHRONIZED: u8 = 1;
    pub(super) const BAD_LENGTH: u8 = 2;
    pub(super) const BAD_TYPE: u8 = 3;
}

fn error(subcode: u8, payload: &[u8]) -> Notification {
    Notification::new(Notification::HEADER, subcode, payload)
}

/// How many octets the message takes that `octets` begin with; `None` until its header is there. The length is
/// held against the negotiated limit in [`Message::decode`].
pub fn frame_length(octets: &[u8]) -> Result<Option<usize>, Notification> {
    let marker = &octets[..octets.len().min(MARKER.len())];
    if marker.iter().any(|octet| *octet != 0xff) {
        return Err(error(subcode::NOT_SYNCHRONIZED, &[]));
    }
    let Some(header) = octets.first_chunk::<HEADER_OCTETS>() else { return Ok(None) };
    let length = u16::from_be_bytes([header[16], header[17]]);
    match usize::from(length) {
        0..HEADER_OCTETS => Err(error(subcode::BAD_LENGTH, &length.to_be_bytes())),
        length => Ok(Some(length)),
    }
}

impl Context {
    /// Most octets that an UPDATE may take.
    pub const fn message_max(&self) -> usize {
        if self.extended_message { EXTENDED_MESSAGE_MAX } else { MESSAGE_MAX }
    }
}

impl Message {
    /// `frame` is one whole message with its header. An UPDATE never fails here: what is wrong with it, up to a
    /// session reset, stands in its [`Update::faults`].
    pub fn decode(frame: Bytes, context: &Context) -> Result<Self, Notification> {
        let (length, kind) = header(&frame)?;
        check_length(length, kind, context)?;
        if frame.len() != usize::from(length) {
            return Err(error(subcode::BAD_LENGTH, &length.to_be_bytes()));
        }
        let body = frame.slice(HEADER_OCTETS..);
        match kind {
            kind::OPEN => Open::decode(&body).map(Self::Open),
            kind::UPDATE => Ok(Self::Update(Update::parse(body, context))),
            kind::NOTIFICATION => Ok(notification(&body)),
            kind::KEEPALIVE => Ok(Self::Keepalive),
            _ => route_refresh(&frame, &body),
        }
    }

    /// Appends the message with its header; its parts are octets already in the form of the session. An UPDATE that
    /// is too long for its peer must be split before ([`super::UpdateWriter`]); what a NOTIFICATION quotes is cut.
    pub fn encode(&self, context: &Context, out: &mut Vec<u8>) {
        let start = begin(self.kind(), out);
        match self {
            Self::Open(open) => open.encode(out),
            Self::Update(update) => update.encode(out),
            Self::Notification(notification) => {
                out.extend_from_slice(&[notification.code, notification.subcode]);
                out.extend_from_slice(&notification.payload);
                out.truncate(start + context.message_max());
            }
            Self::Keepalive => (),
            Self::RouteRefresh { afi, safi, subtype } => {
                out.extend_from_slice(&afi.to_be_bytes());
                out.extend_from_slice(&[*subtype, *safi]);
            }
        }
        finish(start, out);
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Open(_) => kind::OPEN,
            Self::Update(_) => kind::UPDATE,
            Self::Notification(_) => kind::NOTIFICATION,
            Self::Keepalive => kind::KEEPALIVE,
            Self::RouteRefresh { .. } => kind::ROUTE_REFRESH,
        }
    }
}

/// Appends a header whose length is yet to come; the answer is where the message starts.
pub(crate) fn begin(kind: u8, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&[0, 0, kind]);
    start
}

/// Fills in the length of the message that ends here.
pub(crate) fn finish(start: usize, out: &mut [u8]) {
    let length = (out.len() - start) as u16;
    out[start + MARKER.len()..][..2].copy_from_slice(&length.to_be_bytes());
}

fn header(frame: &[u8]) -> Result<(u16, u8), Notification> {
    let length = frame_length(frame)?;
    match (length, frame.get(HEADER_OCTETS - 1)) {
        // The length was read from two octets.
        (Some(length), Some(kind)) => Ok((length as u16, *kind)),
        _ => Err(error(subcode::BAD_LENGTH, &(frame.len() as u16).to_be_bytes())),
    }
}

/// RFC 4271 section 6.1; RFC 8654 section 4 leaves OPEN and KEEPALIVE at their old limit.
fn check_length(length: u16, kind: u8, context: &Context) -> Result<(), Notification> {
    let most = context.message_max();
    let allowed = match kind {
        kind::OPEN => 29..=MESSAGE_MAX,
        kind::UPDATE => 23..=most,
        kind::NOTIFICATION => 21..=most,
        kind::KEEPALIVE => HEADER_OCTETS..=HEADER_OCTETS,
        kind::ROUTE_REFRESH => HEADER_OCTETS..=most,
        _ => return Err(error(subcode::BAD_TYPE, &[kind])),
    };
    match allowed.contains(&length.into()) {
        true => Ok(()),
        false => Err(error(subcode::BAD_LENGTH, &length.to_be_bytes())),
    }
}

fn notification(body: &[u8]) -> Message {
    let mut reader = Reader(body);
    let (code, subcode) = (reader.u8().unwrap_or_default(), reader.u8().unwrap_or_default());
    Message::Notification(Notification::new(code, subcode, reader.0))
}

/// RFC 7313 section 5: a wrong length is answered with the whole message. An outbound route filter (RFC 5291)
/// behind the four octets is not spoken, so not expected.
fn route_refresh(frame: &[u8], body: &[u8]) -> Result<Message, Notification> {
    let Ok([afi_high, afi_low, subtype, safi]) = <[u8; 4]>::try_from(body) else {
        return Err(Notification::new(Notification::ROUTE_REFRESH, 1, frame));
    };
    Ok(Message::RouteRefresh { afi: u16::from_be_bytes([afi_high, afi_low]), safi, subtype })
}
