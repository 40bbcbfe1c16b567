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
