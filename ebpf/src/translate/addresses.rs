use srv6_types::DropReason;

use super::Difference;
use crate::packet::{
    Family, Frame, Tuple,
    headers::{Ipv4, Ipv6},
};

/// Writes the addresses of `tuple` into the IP header at `offset`, and brings its own checksum, of IPv4, up to date.
#[inline(always)]
pub(super) fn write(
    frame: Frame,
    offset: u32,
    tuple: &Tuple,
    difference: &mut Difference,
) -> Result<(), DropReason> {
    // SAFETY: `at` has checked the bounds; the only reference to these octets. So below.
    match tuple.family {
        Family::V4 => {
            let header = unsafe { &mut *frame.at::<Ipv4>(offset as usize)? };
            difference.write_word(&mut header.source, tuple.source.0[0]);
            difference.write_word(&mut header.destination, tuple.destination.0[0]);
            header.checksum = difference.update(header.checksum);
        }
        Family::V6 => {
            let header = unsafe { &mut *frame.at::<Ipv6>(offset as usize)? };
            difference.write_address(&mut header.source, &tuple.source);
            difference.write_address(&mut header.destination, &tuple.destination);
        }
    }
    Ok(())
}

/// The same for the destination alone.
#[inline(always)]
pub(super) fn write_destination(
    frame: Frame,
    offset: u32,
    tuple: &Tuple,
    difference: &mut Difference,
) -> Result<(), DropReason> {
    match tuple.family {
        Family::V4 => {
            let header = unsafe { &mut *frame.at::<Ipv4>(offset as usize)? };
            difference.write_word(&mut header.destination, tuple.destination.0[0]);
            header.checksum = difference.update(header.checksum);
        }
        Family::V6 => {
            let header = unsafe { &mut *frame.at::<Ipv6>(offset as usize)? };
            difference.write_address(&mut header.destination, &tuple.destination);
        }
    }
    Ok(())
}
