//! UPDATE, RFC 4271 section 4.3 with the multiprotocol attributes of RFC 4760.

mod encode;
mod kept;
mod parse;

use bytes::Bytes;
pub(crate) use encode::{put_family, put_with_next_hop};

use super::NextHop;
use crate::{
    Family,
    attribute::{Fault, RawAttributes, Verdict},
    message::Notification,
    nlri::NlriList,
};

/// Routes that are announced with one next hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Next hop of all of them.
    pub next_hop: NextHop,
    /// The routes, at least one.
    pub nlri: NlriList,
}

/// Routes that are withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The routes; empty in an End-of-RIB marker (RFC 4724 section 2).
    pub nlri: NlriList,
}

/// MP_REACH_NLRI or MP_UNREACH_NLRI of a family that sixedge does not speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Address family identifier.
    pub afi: u16,
    /// Subsequent address family identifier.
    pub safi: u8,
    /// The whole attribute with its header.
    pub attribute: Bytes,
}

/// An UPDATE, taken apart as far as every receiver needs: which routes, and the attributes still as octets.
///
/// The attributes are decoded apart ([`crate::attribute::Attributes::decode`]), once per distinct set and not
/// once per message. What was wrong is in two places, then: ask [`Update::verdict`], which knows both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// Withdrawn routes of the classic field and of MP_UNREACH_NLRI.
    pub withdrawn: Vec<Withdrawn>,
    /// Announced routes of the classic field and of MP_REACH_NLRI.
    pub announced: Vec<Announced>,
    /// All path attributes but MP_REACH_NLRI, MP_UNREACH_NLRI and NEXT_HOP, as they stood. Of several of one
    /// type only the first.
    pub attributes: RawAttributes,
    /// What was wrong so far and its RFC 7606 verdict: in the walk over the attributes' headers, in NEXT_HOP
    /// and in the multiprotocol attributes. The walk goes on after a fault, so that the NLRI are known.
    pub faults: Vec<Fault>,
    /// The family whose End-of-RIB marker this is.
    pub end_of_rib: Option<Family>,
    /// Multiprotocol attributes of families that sixedge does not speak.
    pub foreign: Vec<Foreign>,
}

impl Update {
    /// What to do with the message as a whole, `attribute_faults` being those of decoding
    /// [`Update::attributes`]. `None`: nothing was wrong.
    ///
    /// Where no route is announced, the routes concerned may have gone unseen: all but an attribute to be
    /// discarded resets the session (RFC 7606 section 5.2).
    pub fn verdict(&self, attribute_faults: &[Fault]) -> Option<Verdict> {
        let worst = Verdict::worst(self.faults.iter().chain(attribute_faults))?;
        let routes_known = !self.announced.is_empty() || !self.foreign.is_empty();
        Some(match worst {
            Verdict::TreatAsWithdraw if !routes_known => {
                Verdict::SessionReset(Notification::update(Notification::MALFORMED_ATTRIBUTE_LIST, &[]))
            }
            worst => worst.clone(),
        })
    }

    /// RFC 7606 section 2, treat-as-withdraw: the announced routes join the withdrawn ones.
    pub fn into_withdrawn(mut self) -> Self {
        let announced = std::mem::take(&mut self.announced);
        self.withdrawn.extend(announced.iter().map(|routes| Withdrawn { nlri: routes.nlri.to_withdraw() }));
        self.attributes = RawAttributes::default();
        self
    }
}
