use super::{
    Family, Frame,
    headers::{Fragment, IPV6, Ipv4, Ipv6, protocol},
};

/// Extension headers that are looked behind: each once, and destination options twice (RFC 8200 section 4.1).
const EXTENSIONS: usize = 5;

/// Which part of a packet it is. Those of one packet have the same identification.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Whole,
    First(u32),
    Later(u32),
}

/// Where the transport header lies.
#[derive(Clone, Copy)]
pub(super) struct Transport {
    pub(super) protocol: u8,
    /// Octets from the IP header.
    pub(super) offset: u8,
    pub(super) part: Part,
}

impl Transport {
    /// Of the IP packet at `offset`. `None` where the headers do not let themselves be followed.
    #[inline(always)]
    pub(super) fn find(frame: Frame, offset: usize, family: Family) -> Option<Self> {
        match family {
            Family::V4 => Self::find4(frame, offset),
            Family::V6 => Self::find6(frame, offset),
        }
    }

    #[inline(always)]
    fn find4(frame: Frame, offset: usize) -> Option<Self> {
        // SAFETY: `at` has checked the bounds; the pointer is not kept. So below.
        let header = unsafe { &*frame.at::<Ipv4>(offset).ok()? };
        let identification = u32::from(header.identification);
        let part = if header.fragment & Ipv4::FRAGMENT_OFFSET != 0 {
            Part::Later(identification)
        } else if header.fragment & Ipv4::MORE_FRAGMENTS != 0 {
            Part::First(identification)
        } else {
            Part::Whole
        };
        let octets = (header.version_ihl & 0x0f) * 4;
        let sound = header.version_ihl >> 4 == 4 && octets >= size_of::<Ipv4>() as u8;
        sound.then_some(Self { protocol: header.protocol, offset: octets, part })
    }

    #[inline(always)]
    fn find6(frame: Frame, offset: usize) -> Option<Self> {
        let header = unsafe { &*frame.at::<Ipv6>(offset).ok()? };
        let mut found = Self { protocol: header.next_header, offset: IPV6 as u8, part: Part::Whole };
        if u32::from_be(header.version_class_flow) >> 28 != 6 {
            return None;
        }
        for _ in 0..EXTENSIONS {
            if !found.is_extension() {
                return Some(found);
            }
            // All of these begin with the next header and a length, and have 8 octets at least.
            let extension = unsafe { &*frame.at::<Fragment>(offset + found.offset as usize).ok()? };
            match found.skip(extension) {
                Some(true) => {}
                Some(false) => return Some(found),
                None => return None,
            }
        }
        if found.is_extension() { None } else { Some(found) }
    }

    #[inline(always)]
    const fn is_extension(&self) -> bool {
        matches!(
            self.protocol,
            protocol::HOP_BY_HOP | protocol::ROUTING | protocol::FRAGMENT | protocol::DESTINATION_OPTIONS
        )
    }

    /// Goes on behind an extension header; not further where it returns `false`. `None` where that lies too far in.
    #[inline(always)]
    fn skip(&mut self, extension: &Fragment) -> Option<bool> {
        let kind = self.protocol;
        // On its way to another destination, which the checksums are of (RFC 8200 section 8.1).
        if kind == protocol::ROUTING && extension.offset.to_ne_bytes()[1] != 0 {
            return Some(false);
        }
        self.protocol = extension.next_header;
        if kind != protocol::FRAGMENT {
            self.offset = self.offset.checked_add(extension.reserved.checked_add(1)?.checked_mul(8)?)?;
            return Some(true);
        }
        self.offset = self.offset.checked_add(size_of::<Fragment>() as u8)?;
        if extension.offset & Fragment::OFFSET != 0 {
            self.part = Part::Later(extension.identification);
            return Some(false);
        }
        if extension.offset & Fragment::MORE != 0 {
            self.part = Part::First(extension.identification);
        }
        Some(true)
    }
}
