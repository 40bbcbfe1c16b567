//! Schemas of the kinds of text in custom resources. Each has its rule, and a message that names the remedy.

use std::{borrow::Cow, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The longest name of an object.
const NAME: u32 = 253;
/// "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"
const ADDRESS: u32 = 45;
/// An address with "/128".
const PREFIX: u32 = ADDRESS + 4;

fn text(longest: u32, rule: &str, message: &str) -> Schema {
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": longest,
        "x-kubernetes-validations": [{ "rule": one_line(rule), "message": message }],
    })
}

fn one_line(rule: &str) -> String {
    rule.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A type of no values, for `#[schemars(with = "...")]`.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($longest:expr): $rule:expr, $message:expr;)*) => {$(
        $(#[$doc])*
        pub(super) enum $name {}

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                text($longest, $rule, $message)
            }
        }
    )*};
}

/// Six octets for both parts, RFC 4360 and RFC 4364: a wide administrator leaves 16 bits to the number.
const ADMINISTERED: &str = r"self.matches('^[0-9]{1,10}:[0-9]{1,10}$')
  ? (uint(self.split(':')[0]) <= 65535u ? uint(self.split(':')[1]) <= 4294967295u
    : uint(self.split(':')[0]) <= 4294967295u && uint(self.split(':')[1]) <= 65535u)
  : self.matches('^[0-9.]{7,15}:[0-9]{1,5}$') && isIP(self.split(':')[0]) && uint(self.split(':')[1]) <= 65535u";

const COMMUNITY: &str = r"self in ['no-export', 'no-advertise', 'no-export-subconfed', 'no-peer', 'graceful-shutdown', 'blackhole']
  || (self.matches('^[0-9]{1,5}:[0-9]{1,5}$') && self.split(':').all(part, uint(part) <= 65535u))";

/// As the kernel has them, `dev_valid_name()`.
const INTERFACE: &str = r"self.matches('^[^/:\\s]{1,15}$') && self != '.' && self != '..'";

kinds! {
    /// A route target.
    RouteTarget(21): ADMINISTERED, "not a route target; write AS:number (65000:70000; number up to 65535 where the AS is \
        above 65535) or IPv4:number (10.0.0.1:7)";
    /// A route distinguisher.
    RouteDistinguisher(21): ADMINISTERED, "not a route distinguisher; write AS:number (65000:101; number up to 65535 where \
        the AS is above 65535) or IPv4:number (10.0.0.1:7), or leave it away: one is made of the router id";
    /// A community.
    Community(21): COMMUNITY, "not a community; write AS:number, both up to 65535 (65000:100), no-export, no-advertise, \
        no-export-subconfed, no-peer, graceful-shutdown or blackhole";
    /// An address.
    Address(ADDRESS): "isIP(self)", "not an IP address; write one such as 192.0.2.1 or 2001:db8::1";
    /// An IPv6 address.
    Ipv6(ADDRESS): "isIP(self) && ip(self).family() == 6", "not an IPv6 address; write one such as 2001:db8::1";
    /// A BGP identifier, RFC 6286.
    RouterId(15): "isIP(self) && ip(self).family() == 4 && self != '0.0.0.0'",
        "not a router id; write four numbers that are this router's alone (192.0.2.1)";
    /// A destination.
    Prefix(PREFIX): "isCIDR(self) && cidr(self) == cidr(self).masked()",
        "not a prefix; write address/length with no bit set beyond the length, such as 10.0.0.0/8 or 2001:db8::/32";
    /// A destination of IPv6.
    Ipv6Prefix(PREFIX): "isCIDR(self) && cidr(self) == cidr(self).masked() && cidr(self).ip().family() == 6",
        "not an IPv6 prefix; write address/length with no bit set beyond the length, such as fc00:0:1::/48";
    /// An address with the length of its subnet.
    InterfaceAddress(PREFIX): "isCIDR(self)",
        "not an address with its subnet's length; write one such as 10.0.1.1/24 or 2001:db8::1/64";
    /// An interface.
    Interface(15): INTERFACE, "not an interface name; write 1 to 15 characters without '/', ':' and blanks, as \"ip link\" shows it";
    /// An interface or several.
    InterfacePattern(15): INTERFACE, "not an interface name; write 1 to 15 characters without '/', ':' and blanks, as \"ip \
        link\" shows it, or a pattern with * and ?";
    /// An object by name.
    Name(NAME): "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
        "not a name; write lower case letters, digits, '-' and '.', as \"kubectl get\" shows it";
}

/// A label selector, of a known shape also within: what is selected by mistake lands in another tenant's VRF.
pub(super) enum Selector {}

const OPERATOR: &str = "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)";

impl JsonSchema for Selector {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Selector".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let label = |longest: u32| json_schema!({ "type": "string", "maxLength": longest });
        let expression = json_schema!({
            "type": "object",
            "required": ["key", "operator"],
            "properties": {
                "key": label(317),
                "operator": { "type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"] },
                "values": { "type": "array", "maxItems": 64, "items": label(63) },
            },
            "x-kubernetes-validations": [
                { "rule": OPERATOR, "message": "In and NotIn need values, Exists and DoesNotExist have none; write or remove them" }
            ],
        });
        json_schema!({
            "type": "object",
            "properties": {
                "matchLabels": { "type": "object", "maxProperties": 64, "additionalProperties": label(63) },
                "matchExpressions": { "type": "array", "maxItems": 32, "items": expression },
            },
        })
    }
}

/// Up to `MAX` of a kind, in their order.
pub(super) struct ListOf<T, const MAX: usize>(PhantomData<T>);

/// Up to `MAX` of a kind, none of them twice; whoever applies some leaves those of others.
pub(super) struct SetOf<T, const MAX: usize>(PhantomData<T>);

fn list<T: JsonSchema>(longest: usize, kind: &str, generator: &mut SchemaGenerator) -> Schema {
    let items = generator.subschema_for::<T>();
    json_schema!({ "type": "array", "maxItems": longest, "x-kubernetes-list-type": kind, "items": items })
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for ListOf<T, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("ListOf{MAX}{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        list::<T>(MAX, "atomic", generator)
    }
}

impl<T: JsonSchema, const MAX: usize> JsonSchema for SetOf<T, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("SetOf{MAX}{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        list::<T>(MAX, "set", generator)
    }
}
