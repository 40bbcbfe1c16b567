//! Kinds of scalar: what each is called in a message, what to write instead, how its text is read.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
    time::Duration,
};

use bgp_wire::Family;
use ipnet::{IpNet, Ipv6Net};
use srv6_types::maps::NAME as NAME_OCTETS;

use super::reader::{At, Read};

/// A kind of scalar.
pub(super) struct Kind<T> {
    /// As in "is not an IPv4 address".
    noun: &'static str,
    /// The remedy, after "write".
    write: &'static str,
    parse: fn(&str) -> Option<T>,
}

impl<T> Read<T> for Kind<T> {
    fn read(&self, at: &At<'_>) -> Option<T> {
        let text = at.text(self.write)?;
        match (self.parse)(text) {
            Some(value) => Some(value),
            None => at.refuse(format_args!("{text:?} is not {}; write {}", self.noun, self.write)),
        }
    }
}

/// Any text.
pub(super) const TEXT: Kind<String> =
    Kind { noun: "a text", write: "a text", parse: |text| Some(text.to_owned()) };

pub(super) const NAME: Kind<String> = Kind {
    noun: "a name",
    write: "1 to 63 letters, digits, '-', '_' or '.'",
    parse: |text| {
        let fits = (1..=63).contains(&text.len())
            && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet));
        fits.then(|| text.to_owned())
    },
};

/// A name that the dataplane's maps carry.
pub(super) const SHORT_NAME: Kind<String> = Kind {
    noun: "a name",
    write: "1 to 31 letters, digits, '-', '_' or '.'",
    parse: |text| (NAME.parse)(text).filter(|name| name.len() < NAME_OCTETS),
};

/// What the kernel takes as a name, `dev_valid_name()`.
pub(super) const INTERFACE: Kind<String> = Kind {
    noun: "an interface name",
    write: "1 to 15 characters without '/', ':' and blanks, as \"ip link\" shows it",
    parse: |text| {
        let fits = (1..=15).contains(&text.len())
            && !matches!(text, "." | "..")
            && !text.contains(|c: char| matches!(c, '/' | ':') || c.is_whitespace() || c.is_control());
        fits.then(|| text.to_owned())
    },
};

/// Of one station: no group's, and not all zeroes.
pub(super) const MAC_ADDRESS: Kind<[u8; 6]> = Kind {
    noun: "a station's MAC address",
    write: "six octets (02:00:5e:10:00:01)",
    parse: |text| {
        let is_octet = |text: &str| text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let octet = |text: &str| u8::from_str_radix(text, 16).ok().filter(|_| is_octet(text));
        let octets: Option<Vec<u8>> = text.split(':').map(octet).collect();
        let mac: [u8; 6] = octets?.try_into().ok()?;
        (mac[0] & 1 == 0 && mac != [0; 6]).then_some(mac)
    },
};

/// YAML 1.2 core schema: `yes` and `on` are words.
pub(super) const BOOL: Kind<bool> = Kind {
    noun: "a boolean",
    write: "true or false",
    parse: |text| match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    },
};

pub(super) const ASN: Kind<u32> = Kind {
    noun: "an AS number",
    write: "1 to 4294967295",
    parse: |text| whole(text)?.try_into().ok().filter(|&asn: &u32| asn != 0),
};

pub(super) const PREFIXES: Kind<u32> = Kind {
    noun: "a number of prefixes",
    write: "1 to 4294967295",
    parse: |text| whole(text)?.try_into().ok().filter(|&count: &u32| count != 0),
};

pub(super) const PORT: Kind<u16> = Kind {
    noun: "a TCP port",
    write: "1 to 65535",
    parse: |text| whole(text)?.try_into().ok().filter(|&port: &u16| port != 0),
};

/// First and last of a range.
pub(super) const PORTS: Kind<(u16, u16)> = Kind {
    noun: "a port or a range of ports",
    write: "one such as 80 or 1024-65535",
    parse: |text| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text| whole(text)?.try_into().ok();
        let (first, last): (u16, u16) = (port(first)?, port(last)?);
        (first <= last).then_some((first, last))
    },
};

pub(super) const BITS: Kind<u8> = Kind {
    noun: "a number of bits",
    write: "0 to 128",
    parse: |text| whole(text)?.try_into().ok().filter(|&bits: &u8| bits <= 128),
};

pub(super) const IPV4: Kind<Ipv4Addr> =
    Kind { noun: "an IPv4 address", write: "four numbers (192.0.2.1)", parse: |text| text.parse().ok() };

pub(super) const IPV6: Kind<Ipv6Addr> =
    Kind { noun: "an IPv6 address", write: "one such as 2001:db8::1", parse: |text| text.parse().ok() };

pub(super) const ADDRESS: Kind<IpAddr> = Kind {
    noun: "an IP address",
    write: "one such as 192.0.2.1 or 2001:db8::1",
    parse: |text| text.parse().ok(),
};

/// An address together with the length of its subnet.
pub(super) const INTERFACE_ADDRESS: Kind<IpNet> = Kind {
    noun: "an address with its subnet's length",
    write: "one such as 10.0.1.1/24 or 2001:db8::1/64",
    parse: |text| text.parse().ok(),
};

pub(super) const LOCATOR_PREFIX: Kind<Ipv6Net> = Kind {
    noun: "an IPv6 prefix",
    write: "address/length, such as \"fc00:0:1::/48\"",
    parse: |text| text.parse().ok(),
};

pub(super) const FAMILY: Kind<Family> = Kind {
    noun: "an address family",
    write: "ipv4-unicast, ipv6-unicast, vpnv4 or vpnv6",
    parse: |text| Family::ALL.into_iter().find(|family| family.word() == text),
};

/// A kind of its section alone.
pub(super) const fn word<T>(
    noun: &'static str,
    write: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Kind<T> {
    Kind { noun, write, parse }
}

/// A destination: an address with a length, and no bit set beyond it.
pub(super) fn prefix(at: &At<'_>) -> Option<IpNet> {
    const PREFIX: Kind<IpNet> = Kind {
        noun: "a prefix",
        write: "address/length, such as 10.0.0.0/8 or \"2001:db8::/32\"",
        parse: |text| text.parse().ok(),
    };
    let prefix = PREFIX.read(at)?;
    if prefix == prefix.trunc() {
        return Some(prefix);
    }
    at.refuse(format_args!(
        "{prefix} has bits set beyond its first {}; write {}",
        prefix.prefix_len(),
        prefix.trunc()
    ))
}

/// A whole number; the range fits in `T`.
pub(super) fn number<T: TryFrom<u64>>(
    noun: &'static str,
    range: RangeInclusive<u64>,
) -> impl Fn(&At<'_>) -> Option<T> {
    move |at| {
        let write = format!("{} to {}", range.start(), range.end());
        let text = at.text(&write)?;
        let number = whole(text).filter(|number| range.contains(number));
        match number.and_then(|number| number.try_into().ok()) {
            Some(number) => Some(number),
            None => at.refuse(format_args!("{text:?} is not {noun}; write {write}")),
        }
    }
}

/// A duration: a number of seconds, or one with the unit `s`, `m` or `h`.
pub(super) fn seconds(range: RangeInclusive<u64>) -> impl Fn(&At<'_>) -> Option<Duration> {
    const DURATION: Kind<u64> = Kind {
        noun: "a duration",
        write: "seconds (90), or a number with its unit (90s, 2m, 1h)",
        parse: |text| {
            let (number, unit) = match text.as_bytes().last()? {
                b's' => (&text[..text.len() - 1], 1),
                b'm' => (&text[..text.len() - 1], 60),
                b'h' => (&text[..text.len() - 1], 3600),
                _ => (text, 1),
            };
            whole(number)?.checked_mul(unit)
        },
    };
    move |at| {
        let seconds = DURATION.read(at)?;
        if range.contains(&seconds) {
            return Some(Duration::from_secs(seconds));
        }
        at.refuse(format_args!(
            "{seconds} s is out of range; write {} to {} seconds",
            range.start(),
            range.end()
        ))
    }
}

/// A whole number as in the YAML 1.2 core schema: decimal, `0o17` or `0x1f`; a leading zero says nothing.
pub(super) fn whole(text: &str) -> Option<u64> {
    let (digits, radix) = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
        (Some(digits), _) => (digits, 16),
        (_, Some(digits)) => (digits, 8),
        _ => (text, 10),
    };
    // `from_str_radix` would take a sign.
    digits.chars().all(|c| c.is_digit(radix)).then(|| u64::from_str_radix(digits, radix).ok())?
}
