use super::{Capability, GracefulRestart};
use crate::reader::Reader;

/// Capability codes of the IANA registry.
mod code {
    pub(super) const MULTI_PROTOCOL: u8 = 1;
    pub(super) const ROUTE_REFRESH: u8 = 2;
    pub(super) const EXTENDED_NEXT_HOP: u8 = 5;
    pub(super) const EXTENDED_MESSAGE: u8 = 6;
    pub(super) const GRACEFUL_RESTART: u8 = 64;
    pub(super) const FOUR_OCTET_AS: u8 = 65;
    pub(super) const ADD_PATH: u8 = 69;
    pub(super) const ENHANCED_ROUTE_REFRESH: u8 = 70;
}

/// R bit, RFC 4724 section 3.
const RESTARTED: u16 = 0x8000;
/// N bit, RFC 8538 section 2.
const NOTIFICATION: u16 = 0x4000;
const RESTART_TIME: u16 = 0x0fff;
/// F bit, RFC 4724 section 3.
const FORWARDING: u8 = 0x80;

impl Capability {
    /// A known capability whose value has not the form of its RFC is kept as unknown.
    pub(crate) fn decode(code: u8, value: &[u8]) -> Self {
        known(code, value).unwrap_or_else(|| Self::Unknown { code, value: value.to_vec() })
    }

    /// Code, length, value. A value beyond 255 octets, which no capability can have, is cut.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.code(), 0]);
        let start = out.len();
        self.encode_value(out);
        out.truncate(start + usize::from(u8::MAX));
        out[start - 1] = (out.len() - start) as u8;
    }

    /// Its code in the IANA registry.
    pub const fn code(&self) -> u8 {
        match self {
            Self::MultiProtocol { .. } => code::MULTI_PROTOCOL,
            Self::RouteRefresh => code::ROUTE_REFRESH,
            Self::EnhancedRouteRefresh => code::ENHANCED_ROUTE_REFRESH,
            Self::ExtendedNextHop(_) => code::EXTENDED_NEXT_HOP,
            Self::ExtendedMessage => code::EXTENDED_MESSAGE,
            Self::GracefulRestart(_) => code::GRACEFUL_RESTART,
            Self::FourOctetAs(_) => code::FOUR_OCTET_AS,
            Self::AddPath(_) => code::ADD_PATH,
            Self::Unknown { code, .. } => *code,
        }
    }

    fn encode_value(&self, out: &mut Vec<u8>) {
        match self {
            Self::MultiProtocol { afi, safi } => {
                out.extend_from_slice(&afi.to_be_bytes());
                out.extend_from_slice(&[0, *safi]);
            }
            Self::RouteRefresh | Self::EnhancedRouteRefresh | Self::ExtendedMessage => (),
            Self::ExtendedNextHop(triples) => {
                for (afi, safi, next_hop_afi) in triples {
                    out.extend_from_slice([*afi, *safi, *next_hop_afi].map(u16::to_be_bytes).as_flattened());
                }
            }
            Self::GracefulRestart(restart) => restart.encode(out),
            Self::FourOctetAs(asn) => out.extend_from_slice(&asn.to_be_bytes()),
            Self::AddPath(families) => {
                for (afi, safi, mode) in families {
                    out.extend_from_slice(&afi.to_be_bytes());
                    out.extend_from_slice(&[*safi, *mode]);
                }
            }
            Self::Unknown { value, .. } => out.extend_from_slice(value),
        }
    }
}

/// `None` where the code is not known, or the value not of its form.
fn known(code: u8, value: &[u8]) -> Option<Capability> {
    let mut reader = Reader(value);
    let capability = match code {
        code::MULTI_PROTOCOL => {
            let (afi, _reserved, safi) = (reader.u16()?, reader.u8()?, reader.u8()?);
            Capability::MultiProtocol { afi, safi }
        }
        code::ROUTE_REFRESH => Capability::RouteRefresh,
        code::ENHANCED_ROUTE_REFRESH => Capability::EnhancedRouteRefresh,
        code::EXTENDED_MESSAGE => Capability::ExtendedMessage,
        code::EXTENDED_NEXT_HOP => Capability::ExtendedNextHop(all(&mut reader, |reader| {
            Some((reader.u16()?, reader.u16()?, reader.u16()?))
        })?),
        code::GRACEFUL_RESTART => Capability::GracefulRestart(GracefulRestart::decode(&mut reader)?),
        code::FOUR_OCTET_AS => Capability::FourOctetAs(reader.u32()?),
        code::ADD_PATH => {
            Capability::AddPath(all(&mut reader, |reader| Some((reader.u16()?, reader.u8()?, reader.u8()?)))?)
        }
        _ => return None,
    };
    reader.is_empty().then_some(capability)
}

fn all<T>(reader: &mut Reader<'_>, member: impl Fn(&mut Reader<'_>) -> Option<T>) -> Option<Vec<T>> {
    let mut members = Vec::new();
    while !reader.is_empty() {
        members.push(member(reader)?);
    }
    Some(members)
}

impl GracefulRestart {
    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let head = reader.u16()?;
        let families =
            all(reader, |reader| Some((reader.u16()?, reader.u8()?, reader.u8()? & FORWARDING != 0)))?;
        Some(Self {
            restarted: head & RESTARTED != 0,
            notification: head & NOTIFICATION != 0,
            restart_time: head & RESTART_TIME,
            families,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let flag = |set, bit| if set { bit } else { 0 };
        let head = flag(self.restarted, RESTARTED)
            | flag(self.notification, NOTIFICATION)
            | self.restart_time.min(RESTART_TIME);
        out.extend_from_slice(&head.to_be_bytes());
        for (afi, safi, forwarding) in &self.families {
            out.extend_from_slice(&afi.to_be_bytes());
            out.extend_from_slice(&[*safi, if *forwarding { FORWARDING } else { 0 }]);
        }
    }
}
