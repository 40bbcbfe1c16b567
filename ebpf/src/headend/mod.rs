//! What the headend of an SR policy does, RFC 8986 section 5.
pub(crate) mod encaps;
