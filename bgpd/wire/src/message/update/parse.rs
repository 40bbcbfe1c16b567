use std::net::Ipv4Addr;

use bytes::Bytes;

use super::{Announced, Foreign, NextHop, Notification, Update, Withdrawn, kept::Kept};
use crate::{
    Context, Family,
    attribute::{Fault, RawAttribute, RawAttributes, Seen, Walk, code, duplicate},
    nlri::{NlriError, NlriList},
    reader::Reader,
};

impl Update {
    /// `body` is the message without its header. What is wrong, up to a session reset, stands in
    /// [`Update::faults`].
    pub fn parse(body: Bytes, context: &Context) -> Self {
        let mut parser = Parser::new(body, context);
        if let Err(fault) = parser.message() {
            parser.update.faults.push(fault);
        }
        parser.update
    }
}

struct Parser<'a> {
    body: Bytes,
    context: &'a Context,
    update: Update,
    seen: Seen,
    /// Routes stand in the classic field: NEXT_HOP is theirs, and ignored without them (RFC 4760 section 3).
    classic: bool,
    next_hop: Option<Ipv4Addr>,
}

impl<'a> Parser<'a> {
    fn new(body: Bytes, context: &'a Context) -> Self {
        Self {
            body,
            context,
            update: Update::default(),
            seen: Seen::default(),
            classic: false,
            next_hop: None,
        }
    }

    fn message(&mut self) -> Result<(), Fault> {
        let body = self.body.clone();
        let mut reader = Reader(&body);
        let withdrawn = reader.block().ok_or_else(|| overrun("withdrawn routes"))?;
        let attributes = body.slice_ref(reader.block().ok_or_else(|| overrun("path attributes"))?);
        let announced = reader.0;
        self.classic = !announced.is_empty();
        self.withdraw(Family::Ipv4Unicast, withdrawn, None)?;
        self.attributes(&attributes);
        self.announce_classic(announced)?;
        self.check_mandatory();
        self.mark_end_of_rib(&attributes);
        Ok(())
    }

    /// Every attribute is looked at, whatever was wrong with those before it.
    fn attributes(&mut self, octets: &Bytes) {
        let (mut kept, mut at) = (Kept::default(), 0);
        for attribute in Walk::new(octets) {
            let handled = attribute.and_then(|attribute| {
                let from = at;
                at += attribute.octets.len();
                if self.attribute(&attribute)? {
                    kept.push(octets, from, at);
                }
                Ok(())
            });
            self.update.faults.extend(handled.err());
        }
        self.update.attributes = RawAttributes(kept.finish(octets));
    }

    /// Whether the attribute belongs to the set that is decoded apart.
    fn attribute(&mut self, attribute: &RawAttribute<'_>) -> Result<bool, Fault> {
        let first = self.seen.insert(attribute.code);
        let multiprotocol = matches!(attribute.code, code::MP_REACH_NLRI | code::MP_UNREACH_NLRI);
        match (first, multiprotocol) {
            (false, true) => {
                let reason = "stands there more than once (RFC 7606 section 3 g)";
                return Err(reset(attribute, Notification::MALFORMED_ATTRIBUTE_LIST, reason));
            }
            (false, false) => return Err(duplicate(attribute.code)),
            _ => (),
        }
        match attribute.code {
            code::MP_REACH_NLRI => self.reach(attribute)?,
            code::MP_UNREACH_NLRI => self.unreach(attribute)?,
            code::NEXT_HOP if !self.classic => return Ok(false),
            code::NEXT_HOP => self.next_hop = Some(next_hop(attribute)?),
            _ => return Ok(true),
        }
        attribute.check_flags().map(|()| false)
    }

    /// RFC 4760 section 3. Behind a next hop of the wrong length the routes cannot be found (RFC 7606 section
    /// 7.11).
    fn reach(&mut self, attribute: &RawAttribute<'_>) -> Result<(), Fault> {
        let cut = || reset(attribute, Notification::OPTIONAL_ATTRIBUTE, "cut short (RFC 7606 section 7.11)");
        let mut reader = Reader(attribute.value);
        let (afi, safi) = reader.u16().zip(reader.u8()).ok_or_else(cut)?;
        let Some(family) = Family::from_code(afi, safi) else { return self.foreign(afi, safi, attribute) };
        let octets = reader.short_block().ok_or_else(cut)?;
        let next_hop = NextHop::decode(family, octets).ok_or_else(|| {
            let reason = format!("next hop of {} octets in {family} (RFC 7606 section 7.11)", octets.len());
            reset(attribute, Notification::OPTIONAL_ATTRIBUTE, reason)
        })?;
        let _reserved = reader.u8().ok_or_else(cut)?;
        let nlri =
            self.routes(family, false, reader.0).map_err(|error| bad_routes(&error, Some(attribute)))?;
        self.announce(next_hop, nlri);
        Ok(())
    }

    /// RFC 4760 section 4.
    fn unreach(&mut self, attribute: &RawAttribute<'_>) -> Result<(), Fault> {
        let mut reader = Reader(attribute.value);
        let (afi, safi) = reader.u16().zip(reader.u8()).ok_or_else(|| {
            reset(attribute, Notification::OPTIONAL_ATTRIBUTE, "cut short (RFC 7606 section 7.12)")
        })?;
        match Family::from_code(afi, safi) {
            Some(family) => self.withdraw(family, reader.0, Some(attribute)),
            None => self.foreign(afi, safi, attribute),
        }
    }

    fn foreign(&mut self, afi: u16, safi: u8, attribute: &RawAttribute<'_>) -> Result<(), Fault> {
        let attribute = self.body.slice_ref(attribute.octets);
        self.update.foreign.push(Foreign { afi, safi, attribute });
        Ok(())
    }

    fn announce_classic(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let nlri =
            self.routes(Family::Ipv4Unicast, false, octets).map_err(|error| bad_routes(&error, None))?;
        // Without NEXT_HOP the routes are treated as withdrawn, so the address is never used.
        let next_hop = NextHop::V4(self.next_hop.unwrap_or(Ipv4Addr::UNSPECIFIED));
        self.announce(next_hop, nlri);
        Ok(())
    }

    fn announce(&mut self, next_hop: NextHop, nlri: NlriList) {
        if !nlri.is_empty() {
            self.update.announced.push(Announced { next_hop, nlri });
        }
    }

    /// An empty list is kept only where it is an attribute of its own.
    fn withdraw(
        &mut self,
        family: Family,
        octets: &[u8],
        attribute: Option<&RawAttribute<'_>>,
    ) -> Result<(), Fault> {
        let nlri = self.routes(family, true, octets).map_err(|error| bad_routes(&error, attribute))?;
        if attribute.is_some() || !nlri.is_empty() {
            self.update.withdrawn.push(Withdrawn { nlri });
        }
        Ok(())
    }

    fn routes(&self, family: Family, withdraw: bool, octets: &[u8]) -> Result<NlriList, NlriError> {
        let add_path = self.context.add_path.contains(&family);
        NlriList::decode(family, add_path, withdraw, self.body.slice_ref(octets))
    }

    /// RFC 7606 section 3 d. LOCAL_PREF is not asked for: a peer that leaves it out means the default.
    fn check_mandatory(&mut self) {
        if self.update.announced.is_empty() {
            return;
        }
        let next_hop = self.classic.then_some(code::NEXT_HOP);
        for code in [code::ORIGIN, code::AS_PATH].into_iter().chain(next_hop) {
            if !self.seen.contains(code) {
                self.update.faults.push(Fault::withdraw(code, "missing (RFC 7606 section 3 d)"));
            }
        }
    }

    /// RFC 4724 section 2: a wholly empty UPDATE, or one with nothing but an empty MP_UNREACH_NLRI.
    fn mark_end_of_rib(&mut self, attributes: &[u8]) {
        let update = &mut self.update;
        let alone = update.announced.is_empty()
            && update.attributes.0.is_empty()
            && update.foreign.is_empty()
            && update.faults.is_empty();
        update.end_of_rib = match update.withdrawn.as_slice() {
            [] if alone && attributes.is_empty() => Some(Family::Ipv4Unicast),
            [only] if alone && only.nlri.is_empty() => Some(only.nlri.family()),
            _ => None,
        };
    }
}

/// RFC 7606 section 7.3, and RFC 4271 section 6.3 for what is no host's address.
fn next_hop(attribute: &RawAttribute<'_>) -> Result<Ipv4Addr, Fault> {
    let Ok(octets) = <[u8; 4]>::try_from(attribute.value) else {
        let reason = format!("{} octets long, not 4 (RFC 7606 section 7.3)", attribute.value.len());
        return Err(Fault::withdraw(code::NEXT_HOP, reason));
    };
    let address = Ipv4Addr::from_octets(octets);
    if address.is_unspecified() || address.is_multicast() || address.is_broadcast() {
        let reason = format!("{address} is no host's address (RFC 4271 section 6.3)");
        return Err(Fault::withdraw(code::NEXT_HOP, reason));
    }
    Ok(address)
}

fn overrun(field: &str) -> Fault {
    Fault::reset(
        None,
        Notification::update(Notification::MALFORMED_ATTRIBUTE_LIST, &[]),
        format!("the {field} run over the end of the message (RFC 4271 section 6.3)"),
    )
}

fn reset(attribute: &RawAttribute<'_>, subcode: u8, reason: impl Into<String>) -> Fault {
    Fault::reset(Some(attribute.code), Notification::update(subcode, attribute.octets), reason)
}

/// RFC 7606 section 5.3: routes that cannot be told apart cannot be withdrawn either.
fn bad_routes(error: &NlriError, attribute: Option<&RawAttribute<'_>>) -> Fault {
    let reason = format!("{error} (RFC 7606 section 5.3)");
    match attribute {
        Some(attribute) => reset(attribute, Notification::OPTIONAL_ATTRIBUTE, reason),
        None => Fault::reset(None, Notification::update(Notification::INVALID_NETWORK, &[]), reason),
    }
}
