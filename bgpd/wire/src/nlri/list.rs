use bytes::Bytes;
use srv6_types::Label;

use super::{Nlri, Prefix, Prefix4, Prefix6, RouteDistinguisher};
use crate::{Family, reader::Reader};

/// A run of NLRI of one family as it stood on the wire, checked when it was made: iterating cannot fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NlriList {
    family: Family,
    add_path: bool,
    withdraw: bool,
    count: usize,
    octets: Bytes,
}

/// One route of a list with its prefix type known: what the tables are filled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<P> {
    /// RFC 7911 path identifier, 0 without add-path.
    pub path_id: u32,
    /// Zero in unicast.
    pub rd: RouteDistinguisher,
    /// `None` in unicast and in withdraws.
    pub label: Option<Label>,
    /// The prefix.
    pub prefix: P,
}

/// Octets that are no NLRI of their family (RFC 7606 section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NlriError {
    /// More bits than the family's prefix, distinguisher and label can have.
    #[error("NLRI at octet {at}: {bits} bits, at most {max} in {family}")]
    TooLong {
        /// Where in the list.
        at: usize,
        /// The length octet.
        bits: u8,
        /// The family's limit.
        max: u8,
        /// The family.
        family: Family,
    },
    /// Fewer bits than the label and the route distinguisher take.
    #[error("NLRI at octet {at}: {bits} bits, but label and route distinguisher take 88")]
    TooShort {
        /// Where in the list.
        at: usize,
        /// The length octet.
        bits: u8,
    },
    /// The list ends within an entry.
    #[error("NLRI at octet {at} runs over the end of the list")]
    Truncated {
        /// Where in the list.
        at: usize,
    },
}

/// Bits of label and route distinguisher in a VPN NLRI.
const VPN_BITS: u8 = 88;

impl NlriList {
    /// Checks every entry. A label stack of more than one is not looked for: without the capability of RFC 8277
    /// section 2.1 there is exactly one label, whatever its bottom-of-stack bit says.
    pub fn decode(family: Family, add_path: bool, withdraw: bool, octets: Bytes) -> Result<Self, NlriError> {
        let mut list = Self { family, add_path, withdraw, count: 0, octets };
        list.count = match family.is_ipv4() {
            true => list.check::<Prefix4>(),
            false => list.check::<Prefix6>(),
        }?;
        Ok(list)
    }

    /// A list without routes.
    pub const fn empty(family: Family) -> Self {
        Self { family, add_path: false, withdraw: false, count: 0, octets: Bytes::new() }
    }

    /// Family of the routes.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// Whether the entries carry path identifiers.
    pub const fn add_path(&self) -> bool {
        self.add_path
    }

    /// Number of routes.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The list as it stood.
    pub const fn octets(&self) -> &Bytes {
        &self.octets
    }

    /// The routes, of whatever family.
    pub fn iter(&self) -> impl Iterator<Item = Nlri> + '_ {
        let vpn = self.family.is_vpn();
        self.iter4().map(move |entry| nlri(vpn, entry)).chain(self.iter6().map(move |entry| nlri(vpn, entry)))
    }

    /// The routes of an IPv4 family (unicast or VPN); none where the family is IPv6.
    pub fn iter4(&self) -> Entries<'_, Prefix4> {
        self.entries(self.family.is_ipv4())
    }

    /// The routes of an IPv6 family (unicast or VPN); none where the family is IPv4.
    pub fn iter6(&self) -> Entries<'_, Prefix6> {
        self.entries(!self.family.is_ipv4())
    }

    /// The same entries read as withdraws: what treat-as-withdraw needs (RFC 7606 section 2).
    #[must_use]
    pub fn to_withdraw(&self) -> Self {
        Self { withdraw: true, ..self.clone() }
    }

    fn entries<P>(&self, matches: bool) -> Entries<'_, P> {
        Entries {
            reader: Reader(if matches { &self.octets } else { &[] }),
            vpn: self.family.is_vpn(),
            add_path: self.add_path,
            withdraw: self.withdraw,
            prefix: std::marker::PhantomData,
        }
    }

    fn check<P: WirePrefix>(&self) -> Result<usize, NlriError> {
        let mut entries = self.entries::<P>(true);
        let mut count = 0;
        while !entries.reader.is_empty() {
            let at = self.octets.len() - entries.reader.0.len();
            entries.step().map_err(|flaw| flaw.locate(at, P::BITS, self.family))?;
            count += 1;
        }
        Ok(count)
    }
}

/// Walks the octets of a list; allocates nothing.
#[derive(Clone, Debug)]
pub struct Entries<'a, P> {
    reader: Reader<'a>,
    vpn: bool,
    add_path: bool,
    withdraw: bool,
    prefix: std::marker::PhantomData<P>,
}

impl<P: WirePrefix> Iterator for Entries<'_, P> {
    type Item = Entry<P>;

    #[inline]
    fn next(&mut self) -> Option<Entry<P>> {
        if self.reader.is_empty() { None } else { self.step().ok() }
    }
}

impl<P: WirePrefix> Entries<'_, P> {
    #[inline]
    fn step(&mut self) -> Result<Entry<P>, Flaw> {
        let path_id = if self.add_path { self.reader.u32().ok_or(Flaw::Truncated)? } else { 0 };
        let wire_bits = self.reader.u8().ok_or(Flaw::Truncated)?;
        let mut entry =
            Entry { path_id, rd: RouteDistinguisher::default(), label: None, prefix: P::default() };
        let mut bits = wire_bits;
        if self.vpn {
            bits = bits.checked_sub(VPN_BITS).ok_or(Flaw::TooShort(wire_bits))?;
            let label = Label::from_wire(self.reader.array().ok_or(Flaw::Truncated)?);
            entry.label = (!self.withdraw).then_some(label);
            entry.rd = RouteDistinguisher(self.reader.array().ok_or(Flaw::Truncated)?);
        }
        if bits > P::BITS {
            return Err(Flaw::TooLong(wire_bits));
        }
        let octets = self.reader.take(bits.div_ceil(8).into()).ok_or(Flaw::Truncated)?;
        entry.prefix = P::from_wire(octets, bits);
        Ok(entry)
    }
}

enum Flaw {
    Truncated,
    TooShort(u8),
    TooLong(u8),
}

impl Flaw {
    fn locate(self, at: usize, max: u8, family: Family) -> NlriError {
        match self {
            Self::Truncated => NlriError::Truncated { at },
            Self::TooShort(bits) => NlriError::TooShort { at, bits },
            Self::TooLong(bits) => {
                let vpn = if family.is_vpn() { VPN_BITS } else { 0 };
                NlriError::TooLong { at, bits, max: max + vpn, family }
            }
        }
    }
}

fn nlri<P: WirePrefix>(vpn: bool, entry: Entry<P>) -> Nlri {
    let Entry { path_id, rd, label, prefix } = entry;
    Nlri { path_id, rd: vpn.then_some(rd), label, prefix: prefix.into() }
}

/// A prefix as NLRI carry it: as many octets as its bits need.
pub trait WirePrefix: Copy + Default + Into<Prefix> {
    /// Width of the address.
    const BITS: u8;
    /// `octets` are `bits / 8` rounded up, `bits` at most `BITS`; bits beyond are zeroed (RFC 4271 section 4.3).
    fn from_wire(octets: &[u8], bits: u8) -> Self;
}

macro_rules! wire_prefix {
    ($prefix:ty, $octets:literal) => {
        impl WirePrefix for $prefix {
            const BITS: u8 = $octets * 8;

            #[inline]
            fn from_wire(octets: &[u8], bits: u8) -> Self {
                let mut addr = [0; $octets];
                addr.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
                Self::new(addr, bits).unwrap_or_default()
            }
        }
    };
}
wire_prefix!(Prefix4, 4);
wire_prefix!(Prefix6, 16);
