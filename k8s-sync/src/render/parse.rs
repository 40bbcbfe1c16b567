//! Text of custom resources to types. What means nothing is left out and told: place, value, remedy.

use std::{
    fmt::Display,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
};

use bgp_wire::{
    attribute::{Community, RouteTarget},
    nlri::RouteDistinguisher,
};
use ipnet::{IpNet, Ipv6Net};

use super::{Problem, Reason};
use crate::world::ObjectRef;

/// A kind of text.
pub(crate) struct Kind<T> {
    /// As in "is not an IPv4 address".
    noun: &'static str,
    /// The remedy, after "write".
    write: &'static str,
    parse: fn(&str) -> Option<T>,
}

pub(crate) const ROUTE_TARGET: Kind<RouteTarget> = Kind {
    noun: "a route target",
    write: "AS:number (65000:70000; number up to 65535 where the AS is above 65535) or IPv4:number (10.0.0.1:7)",
    parse: |text| text.parse().ok(),
};

pub(crate) const ROUTE_DISTINGUISHER: Kind<RouteDistinguisher> = Kind {
    noun: "a route distinguisher",
    write: "AS:number (65000:101) or IPv4:number (10.0.0.1:7), or leave it away: one is made of the router id",
    parse: |text| text.parse().ok(),
};

pub(crate) const COMMUNITY: Kind<Community> = Kind {
    noun: "a community",
    write: "AS:number, both up to 65535 (65000:100), no-export, no-advertise, no-export-subconfed or \
            graceful-shutdown",
    parse: |text| text.parse().ok(),
};

/// RFC 6286: any number but 0.
pub(crate) const ROUTER_ID: Kind<Ipv4Addr> = Kind {
    noun: "a router id",
    write: "four numbers that are this router's alone (192.0.2.1)",
    parse: |text| text.parse().ok().filter(|id: &Ipv4Addr| !id.is_unspecified()),
};

pub(crate) const IPV6: Kind<Ipv6Addr> =
    Kind { noun: "an IPv6 address", write: "one such as 2001:db8::1", parse: |text| text.parse().ok() };

pub(crate) const ADDRESS: Kind<IpAddr> = Kind {
    noun: "an IP address",
    write: "one such as 192.0.2.1 or 2001:db8::1",
    parse: |text| text.parse().ok(),
};

/// An address together with the length of its subnet.
pub(crate) const INTERFACE_ADDRESS: Kind<IpNet> = Kind {
    noun: "an address with its subnet's length",
    write: "one such as 10.0.1.1/24 or 2001:db8::1/64",
    parse: |text| text.parse().ok(),
};

pub(crate) const IPV6_PREFIX: Kind<Ipv6Net> = Kind {
    noun: "an IPv6 prefix",
    write: "address/length, such as fc00:0:1::/48",
    parse: |text| text.parse().ok(),
};

const PREFIX: Kind<IpNet> = Kind {
    noun: "a prefix",
    write: "address/length, such as 10.0.0.0/8 or 2001:db8::/32",
    parse: |text| text.parse().ok(),
};

/// What the kernel takes as a name, `dev_valid_name()`, or a pattern of it.
pub(crate) const INTERFACE: Kind<String> = Kind {
    noun: "an interface name",
    write: "1 to 15 characters without '/', ':' and blanks, as \"ip link\" shows it, or a pattern with * and ?",
    parse: |text| {
        let fits = (1..=15).contains(&text.len())
            && !matches!(text, "." | "..")
            && !text.contains(|c: char| matches!(c, '/' | ':') || c.is_whitespace() || c.is_control());
        fits.then(|| text.to_owned())
    },
};

/// Reads an object.
pub(crate) struct Reader<'p> {
    object: ObjectRef,
    problems: &'p mut Vec<Problem>,
}

impl<'p> Reader<'p> {
    pub(crate) const fn new(object: ObjectRef, problems: &'p mut Vec<Problem>) -> Self {
        Self { object, problems }
    }

    /// Notes what is wrong at `path`.
    pub(crate) fn tell(&mut self, reason: Reason, path: impl Display, problem: impl Display) {
        self.problems.push(Problem::new(self.object.clone(), reason, format_args!("{path}: {problem}")));
    }

    pub(crate) fn read<T>(&mut self, kind: &Kind<T>, path: impl Display, text: &str) -> Option<T> {
        let value = (kind.parse)(text);
        if value.is_none() {
            let problem = format_args!("{text:?} is not {}; write {}", kind.noun, kind.write);
            self.tell(Reason::Invalid, path, problem);
        }
        value
    }

    /// What may be left out.
    pub(crate) fn maybe<T>(
        &mut self,
        kind: &Kind<T>,
        path: impl Display,
        text: Option<&String>,
    ) -> Option<T> {
        text.and_then(|text| self.read(kind, path, text))
    }

    /// Those of a list that mean something.
    pub(crate) fn list<T, C: FromIterator<T>>(&mut self, kind: &Kind<T>, path: &str, texts: &[String]) -> C {
        let read = |(i, text): (usize, &String)| self.read(kind, format_args!("{path}[{i}]"), text);
        texts.iter().enumerate().filter_map(read).collect()
    }

    /// A destination: an address with a length, and no bit set beyond it.
    pub(crate) fn prefix(&mut self, path: impl Display, text: &str) -> Option<IpNet> {
        let prefix = self.read(&PREFIX, &path, text)?;
        if prefix == prefix.trunc() {
            return Some(prefix);
        }
        let (len, trunc) = (prefix.prefix_len(), prefix.trunc());
        let problem = format_args!("{prefix} has bits set beyond its first {len}; write {trunc}");
        self.tell(Reason::Invalid, path, problem);
        None
    }

    /// Destinations that mean something.
    pub(crate) fn prefixes(&mut self, path: &str, texts: &[String]) -> Vec<IpNet> {
        let read = |(i, text): (usize, &String)| self.prefix(format_args!("{path}[{i}]"), text);
        texts.iter().enumerate().filter_map(read).collect()
    }

    /// A number that may be left out.
    pub(crate) fn number<T: Copy + PartialOrd + Display>(
        &mut self,
        path: impl Display,
        number: Option<T>,
        range: RangeInclusive<T>,
    ) -> Option<T> {
        let number = number?;
        if range.contains(&number) {
            return Some(number);
        }
        let problem = format_args!("{number} is out of range; write {} to {}", range.start(), range.end());
        self.tell(Reason::Invalid, path, problem);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(read: impl FnOnce(&mut Reader<'_>)) -> Vec<String> {
        let mut problems = Vec::new();
        read(&mut Reader::new(ObjectRef::cluster("Vrf", "red"), &mut problems));
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_means_nothing_is_told_with_place_value_and_remedy() {
        let messages = told(|reader| {
            let texts = ["65000:1", "65000:70000:1"].map(String::from);
            let read: Vec<RouteTarget> = reader.list(&ROUTE_TARGET, "spec.importRouteTargets", &texts);
            assert_eq!(read, ["65000:1".parse().unwrap()]);
        });
        assert_eq!(
            messages,
            [
                "Vrf red: spec.importRouteTargets[1]: \"65000:70000:1\" is not a route target; write AS:number \
              (65000:70000; number up to 65535 where the AS is above 65535) or IPv4:number (10.0.0.1:7)"
            ]
        );
    }

    #[test]
    fn a_prefix_has_no_host_bits() {
        let messages = told(|reader| assert_eq!(reader.prefix("spec.prefix", "10.1.2.3/8"), None));
        assert_eq!(
            messages,
            ["Vrf red: spec.prefix: 10.1.2.3/8 has bits set beyond its first 8; write 10.0.0.0/8"]
        );
    }
}
