use std::net::Ipv4Addr;

use super::Notification;
use crate::{Family, capability::Capability, reader::Reader};

/// An OPEN, RFC 4271 section 4.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The 2-octet field: AS_TRANS (23456) when the real number needs four octets.
    pub my_as: u16,
    /// Seconds; 0, or 3 and more.
    pub hold_time: u16,
    /// BGP identifier, not zero.
    pub router_id: Ipv4Addr,
    /// Every capability offered, in the order of the message.
    pub capabilities: Vec<Capability>,
}

const VERSION: u8 = 4;
/// Optional parameter type: capabilities, RFC 5492 section 4.
const CAPABILITIES: u8 = 2;
/// Stands where the length and the first type would: extended parameters follow, RFC 9072 section 2.
const EXTENDED: u8 = 255;

mod subcode {
    pub(super) const UNSPECIFIC: u8 = 0;
    pub(super) const UNSUPPORTED_VERSION: u8 = 1;
    pub(super) const BAD_PEER_AS: u8 = 2;
    pub(super) const BAD_IDENTIFIER: u8 = 3;
    pub(super) const UNSUPPORTED_PARAMETER: u8 = 4;
    pub(super) const UNACCEPTABLE_HOLD_TIME: u8 = 6;
}

fn error(subcode: u8, payload: &[u8]) -> Notification {
    Notification::new(Notification::OPEN, subcode, payload)
}

impl Open {
    /// The AS number the speaker claims, from the capability where it has one (RFC 6793 section 4.1).
    pub fn asn(&self) -> u32 {
        let real = self.capabilities.iter().find_map(|capability| match capability {
            Capability::FourOctetAs(asn) => Some(*asn),
            _ => None,
        });
        real.unwrap_or(self.my_as.into())
    }

    /// The families offered that sixedge speaks. Without any multiprotocol capability that is IPv4 unicast
    /// (RFC 4760 section 8).
    pub fn families(&self) -> Vec<Family> {
        let mut offered = self
            .capabilities
            .iter()
            .filter_map(|capability| match capability {
                Capability::MultiProtocol { afi, safi } => Some(Family::from_code(*afi, *safi)),
                _ => None,
            })
            .peekable();
        if offered.peek().is_none() {
            return vec![Family::Ipv4Unicast];
        }
        offered.flatten().collect()
    }

    /// The checks of RFC 4271 section 6.2 that need no configuration.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, Notification> {
        let malformed = || error(subcode::UNSPECIFIC, &[]);
        let mut reader = Reader(body);
        if reader.u8().ok_or_else(malformed)? != VERSION {
            return Err(error(subcode::UNSUPPORTED_VERSION, &u16::from(VERSION).to_be_bytes()));
        }
        let my_as = reader.u16().ok_or_else(malformed)?;
        let hold_time = reader.u16().ok_or_else(malformed)?;
        let router_id = Ipv4Addr::from_octets(reader.array().ok_or_else(malformed)?);
        let capabilities = decode_parameters(reader)?;
        let open = Self { my_as, hold_time, router_id, capabilities };
        open.check()?;
        Ok(open)
    }

    fn check(&self) -> Result<(), Notification> {
        // RFC 7607: AS 0 is nobody.
        if self.my_as == 0 || self.asn() == 0 {
            return Err(error(subcode::BAD_PEER_AS, &[]));
        }
        if matches!(self.hold_time, 1 | 2) {
            return Err(error(subcode::UNACCEPTABLE_HOLD_TIME, &[]));
        }
        if self.router_id.is_unspecified() {
            return Err(error(subcode::BAD_IDENTIFIER, &[]));
        }
        Ok(())
    }

    /// One capability per optional parameter, as the field does; the extended form only where the plain one
    /// does not hold them.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.extend_from_slice(&self.my_as.to_be_bytes());
        out.extend_from_slice(&self.hold_time.to_be_bytes());
        out.extend_from_slice(&self.router_id.octets());
        let capabilities: Vec<Vec<u8>> = self.capabilities.iter().map(encoded).collect();
        let plain: usize = capabilities.iter().map(|octets| octets.len() + 2).sum();
        match u8::try_from(plain) {
            Ok(len) if len != EXTENDED => {
                out.push(len);
                for octets in &capabilities {
                    out.extend_from_slice(&[CAPABILITIES, octets.len() as u8]);
                    out.extend_from_slice(octets);
                }
            }
            _ => encode_extended(&capabilities, out),
        }
    }
}

fn encoded(capability: &Capability) -> Vec<u8> {
    let mut octets = Vec::new();
    capability.encode(&mut octets);
    octets
}

/// RFC 9072 section 2: two octets for each length.
fn encode_extended(capabilities: &[Vec<u8>], out: &mut Vec<u8>) {
    let len: usize = capabilities.iter().map(|octets| octets.len() + 3).sum();
    out.extend_from_slice(&[EXTENDED, EXTENDED]);
    out.extend_from_slice(&(len as u16).to_be_bytes());
    for octets in capabilities {
        out.push(CAPABILITIES);
        out.extend_from_slice(&(octets.len() as u16).to_be_bytes());
        out.extend_from_slice(octets);
    }
}

/// Any grouping: several capabilities in a parameter, several parameters, plain or extended lengths.
fn decode_parameters(mut reader: Reader<'_>) -> Result<Vec<Capability>, Notification> {
    let malformed = || error(subcode::UNSPECIFIC, &[]);
    let extended = matches!(reader.0, [len, EXTENDED, ..] if *len != 0);
    let parameters = if extended {
        reader.take(2);
        reader.block()
    } else {
        reader.short_block()
    };
    if !reader.is_empty() {
        return Err(malformed());
    }
    let (mut parameters, mut capabilities) = (Reader(parameters.ok_or_else(malformed)?), Vec::new());
    while !parameters.is_empty() {
        let kind = parameters.u8();
        let value = if extended { parameters.block() } else { parameters.short_block() };
        match (kind, value) {
            (Some(CAPABILITIES), Some(value)) => decode_capabilities(value, &mut capabilities)?,
            (Some(_), Some(_)) => return Err(error(subcode::UNSUPPORTED_PARAMETER, &[])),
            _ => return Err(malformed()),
        }
    }
    Ok(capabilities)
}

fn decode_capabilities(octets: &[u8], capabilities: &mut Vec<Capability>) -> Result<(), Notification> {
    let mut reader = Reader(octets);
    while !reader.is_empty() {
        let (Some(code), Some(value)) = (reader.u8(), reader.short_block()) else {
            return Err(error(subcode::UNSPECIFIC, &[]));
        };
        capabilities.push(Capability::decode(code, value));
    }
    Ok(())
}
