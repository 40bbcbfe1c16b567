//! Drops as they happen, from the programs' ring buffer: a sample, for the programs limit their rate.

use std::{
    mem::offset_of,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::{AsFd, BorrowedFd},
};

use aya::maps::{MapData, RingBuf};
use srv6_types::{DropReason, VrfId, maps::DropEvent};

use super::{EbpfDataplane, codec::decode_name, error::EbpfError};
use crate::model::{DataplaneError, IfIndex};

/// A packet that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedPacket {
    /// VRF, [`VrfId::GLOBAL`] where none was known yet.
    pub vrf: VrfId,
    /// Why.
    pub reason: DropReason,
    /// Interface the packet came in by.
    pub interface: IfIndex,
    /// Name of the filter's rule that dropped it, as it was then.
    pub rule: Option<String>,
    /// What it was; `None` when it was not parsed that far.
    pub flow: Option<Flow>,
}

/// Addresses, protocol and ports of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Source.
    pub source: IpAddr,
    /// Destination.
    pub destination: IpAddr,
    /// IP protocol or IPv6 next header.
    pub protocol: u8,
    /// Ports of TCP and UDP, else zero: source, destination.
    pub ports: (u16, u16),
}

/// The reading end of the ring. The descriptor is readable (`poll`) when drops wait; [`Iterator::next`] never blocks.
pub struct Events {
    ring: RingBuf<MapData>,
}

impl EbpfDataplane {
    /// The events, to be taken once: `None` afterwards, and where the programs have no ring.
    pub fn events(&mut self) -> Result<Option<Events>, DataplaneError> {
        let Some(map) = self.events.take() else { return Ok(None) };
        let ring = RingBuf::try_from(map).map_err(|source| DataplaneError {
            what: "opening the ring of events".into(),
            source: Box::new(EbpfError::Map { map: "EVENTS", source }),
        })?;
        Ok(Some(Events { ring }))
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

impl Iterator for Events {
    type Item = DroppedPacket;

    /// The next drop that waits; what this version cannot read is passed over.
    fn next(&mut self) -> Option<DroppedPacket> {
        loop {
            if let Some(dropped) = decode(&self.ring.next()?) {
                return Some(dropped);
            }
        }
    }
}

fn decode(event: &[u8]) -> Option<DroppedPacket> {
    Some(DroppedPacket {
        vrf: VrfId(number(event, offset_of!(DropEvent, vrf))?),
        reason: DropReason::from_code(number(event, offset_of!(DropEvent, reason))?)?,
        interface: IfIndex(number(event, offset_of!(DropEvent, ifindex))?),
        rule: Some(decode_name(event.get(offset_of!(DropEvent, rule)..)?)).filter(|rule| !rule.is_empty()),
        flow: flow(event),
    })
}

fn flow(event: &[u8]) -> Option<Flow> {
    let family = *event.get(offset_of!(DropEvent, family))?;
    let address = |at| match family {
        4 => Some(IpAddr::V4(Ipv4Addr::from(octets::<4>(event, at)?))),
        6 => Some(IpAddr::V6(Ipv6Addr::from(octets::<16>(event, at)?))),
        _ => None,
    };
    let port = |at| octets(event, at).map(u16::from_be_bytes);
    Some(Flow {
        source: address(offset_of!(DropEvent, source))?,
        destination: address(offset_of!(DropEvent, destination))?,
        protocol: *event.get(offset_of!(DropEvent, protocol))?,
        ports: (port(offset_of!(DropEvent, source_port))?, port(offset_of!(DropEvent, destination_port))?),
    })
}

fn number(event: &[u8], at: usize) -> Option<u32> {
    octets(event, at).map(u32::from_ne_bytes)
}

fn octets<const N: usize>(event: &[u8], at: usize) -> Option<[u8; N]> {
    event.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(family: u8) -> Vec<u8> {
        let mut event = vec![0; size_of::<DropEvent>()];
        event[..4].copy_from_slice(&7u32.to_ne_bytes());
        event[4..8].copy_from_slice(&(DropReason::TooBig as u32).to_ne_bytes());
        event[8..12].copy_from_slice(&3u32.to_ne_bytes());
        (event[12], event[13]) = (family, 17);
        event[16..20].copy_from_slice(&[10, 0, 0, 1]);
        event[32..36].copy_from_slice(&[10, 0, 0, 2]);
        event[48..52].copy_from_slice(&[0x1f, 0x90, 0, 53]);
        event[52..61].copy_from_slice(b"no-telnet");
        event
    }

    #[test]
    fn reads_what_the_programs_write() {
        let dropped = decode(&event(4)).unwrap();
        assert_eq!(
            (dropped.vrf, dropped.reason, dropped.interface),
            (VrfId(7), DropReason::TooBig, IfIndex(3))
        );
        assert_eq!(dropped.rule.as_deref(), Some("no-telnet"));
        let flow = dropped.flow.unwrap();
        assert_eq!((flow.source, flow.destination), ([10, 0, 0, 1].into(), [10, 0, 0, 2].into()));
        assert_eq!((flow.protocol, flow.ports), (17, (8080, 53)));
    }

    #[test]
    fn takes_what_was_not_parsed_and_refuses_what_is_short() {
        assert_eq!(decode(&event(0)).unwrap().flow, None);
        assert_eq!(decode(&event(4)[..11]), None);
    }
}
