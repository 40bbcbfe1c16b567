use super::{Fault, code};
use crate::{message::Notification, reader::Reader};

/// One attribute as it stands in the list, RFC 4271 section 4.3.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawAttribute<'a> {
    pub(crate) flags: u8,
    pub(crate) code: u8,
    pub(crate) value: &'a [u8],
    /// Header and value.
    pub(crate) octets: &'a [u8],
}

/// Goes from attribute to attribute; a length that does not fit ends the walk with a fault (RFC 7606 section 4).
pub(crate) struct Walk<'a>(Reader<'a>);

impl<'a> Walk<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self(Reader(octets))
    }

    fn step(&mut self) -> Result<RawAttribute<'a>, Option<u8>> {
        let start = self.0.0;
        let flags = self.0.u8().ok_or(None)?;
        let code = self.0.u8().ok_or(None)?;
        let value = match flags & code::EXTENDED_LENGTH {
            0 => self.0.short_block(),
            _ => self.0.block(),
        };
        let value = value.ok_or(Some(code))?;
        let octets = &start[..start.len() - self.0.0.len()];
        Ok(RawAttribute { flags, code, value, octets })
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<RawAttribute<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.step().map_err(|code| {
            self.0 = Reader(&[]);
            Fault {
                attribute: code,
                ..Fault::withdraw(0, "runs over the end of the attributes (RFC 7606 section 4)")
            }
        }))
    }
}

impl RawAttribute<'_> {
    /// RFC 7606 section 3 c; an unknown attribute that claims to be well-known resets the session, RFC 4271
    /// section 6.3.
    pub(crate) fn check_flags(&self) -> Result<(), Fault> {
        let kind = self.flags & (code::OPTIONAL | code::TRANSITIVE);
        match code::flags(self.code) {
            Some(expected) if kind != expected => Err(Fault::withdraw(
                self.code,
                format!("flags {:#04x} conflict with its definition (RFC 7606 section 3 c)", self.flags),
            )),
            None if kind & code::OPTIONAL == 0 => Err(Fault::reset(
                Some(self.code),
                Notification::update(Notification::UNRECOGNIZED_WELL_KNOWN, self.octets),
                "well-known by its flags, but unknown (RFC 4271 section 6.3)",
            )),
            _ => Ok(()),
        }
    }
}

/// Which type codes have been met.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen([u128; 2]);

impl Seen {
    /// Whether this is the first time.
    pub(crate) fn insert(&mut self, code: u8) -> bool {
        let first = !self.contains(code);
        self.0[usize::from(code >> 7)] |= 1 << (code & 0x7f);
        first
    }

    pub(crate) const fn contains(&self, code: u8) -> bool {
        self.0[(code >> 7) as usize] >> (code & 0x7f) & 1 == 1
    }
}
