//! What the programs say to a tenant's hosts, in the tenant's own addresses.

mod budget;
pub(crate) mod echo;
mod error4;
mod error6;
mod message;

pub(crate) use budget::take_event;

use srv6_types::DropReason;

use crate::packet::{Address, Family, Packet};

/// Addresses that errors come from.
pub(crate) struct Sources {
    pub(crate) v4: [u8; 4],
    pub(crate) v6: [u8; 16],
}

/// Type, code and the word behind the checksum of an error.
#[repr(C)]
pub(crate) struct Error {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    pub(crate) rest: u32,
}

/// Turns a packet that is dropped for `reason` into the error that tells its sender so. `false`, and the packet
/// untouched, when there is nothing to say or nobody to say it to.
#[inline(always)]
pub(crate) fn refuse(packet: &mut Packet, reason: DropReason, sources: &Sources) -> bool {
    let (source, made) = match packet.inner.family {
        Family::V4 => (Address::v4(u32::from_ne_bytes(sources.v4)), error4::of(packet, reason)),
        Family::V6 => (Address::from_octets(&sources.v6), error6::of(packet, reason)),
    };
    let Some(error) = made else { return false };
    if source.is_unspecified() || !budget::take_error(packet.vrf) {
        return false;
    }
    message::write(packet, &source, error).is_ok()
}
