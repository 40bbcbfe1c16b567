//! NLRI of each family: RFC 4271 section 4.3, RFC 4760 section 5, RFC 4364 section 4.3.4, RFC 4659, RFC 7911.

mod distinguisher;
mod list;
mod prefix;

pub use distinguisher::{RouteDistinguisher, RouteDistinguisherError};
pub use list::{Entries, Entry, NlriError, NlriList, WirePrefix};
pub use prefix::{Prefix, Prefix4, Prefix6, PrefixError};
use srv6_types::Label;

use crate::Family;

/// One route's NLRI, of any family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nlri {
    /// RFC 7911 path identifier, 0 where add-path was not negotiated.
    pub path_id: u32,
    /// VPN families: the route distinguisher.
    pub rd: Option<RouteDistinguisher>,
    /// VPN families: the label; `None` in unicast and in withdraws, whose label says nothing (RFC 8277 section 2.4).
    pub label: Option<Label>,
    /// The prefix.
    pub prefix: Prefix,
}

/// Stands where a withdraw's label would, RFC 8277 section 2.4.
const WITHDRAW_LABEL: [u8; 3] = [0x80, 0, 0];

impl Nlri {
    /// Most octets that one NLRI takes: path identifier, length, label, distinguisher, IPv6 address.
    pub const MAX_OCTETS: usize = 4 + 1 + 3 + 8 + 16;

    /// Appends the octets of this route. In a VPN family a missing distinguisher is sent as zero and a missing
    /// label as implicit null.
    pub fn encode(&self, family: Family, add_path: bool, withdraw: bool, out: &mut Vec<u8>) {
        if add_path {
            out.extend_from_slice(&self.path_id.to_be_bytes());
        }
        let (addr, bits): (&[u8], u8) = match &self.prefix {
            Prefix::V4(prefix) => (&prefix.addr, prefix.len.min(32)),
            Prefix::V6(prefix) => (&prefix.addr, prefix.len.min(128)),
        };
        if family.is_vpn() {
            out.push(bits + 88);
            out.extend_from_slice(&match (withdraw, self.label) {
                (true, _) => WITHDRAW_LABEL,
                (false, label) => label.unwrap_or(Label::IMPLICIT_NULL).to_wire(),
            });
            out.extend_from_slice(&self.rd.unwrap_or_default().0);
        } else {
            out.push(bits);
        }
        out.extend_from_slice(&addr[..bits.div_ceil(8).into()]);
    }
}
