use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use srv6_types::{Locator, SidStructure, Transposition};
use vrf_manager::intent::{NamedLocator, Srv6};

use super::{
    kind::{BITS, INTERFACE, IPV6, LOCATOR_PREFIX, NAME, word},
    list::{list, unique},
    reader::{At, Fields},
};

/// Block, node, function and argument length in bits.
type Lengths = [u8; 4];

/// uSID carriers of RFC 9800 with 16-bit elements.
const F3216: Lengths = [32, 16, 16, 0];
/// The layout that routers call classic or uncompressed.
const CLASSIC: Lengths = [40, 24, 16, 0];

/// A customer edge or a route reflector has no SRv6 of its own.
pub(super) const fn unconfigured() -> Srv6 {
    Srv6 { locators: Vec::new(), source: Ipv6Addr::UNSPECIFIED, core_interfaces: Vec::new() }
}

pub(super) fn read(at: &At<'_>) -> Option<Srv6> {
    let srv6 = at.fields(&["source", "coreInterfaces", "locators"])?;
    let source = srv6.required("source", "source: \"2001:db8::1\"", IPV6);
    let core_interfaces = srv6.or("coreInterfaces", Vec::new(), unique(INTERFACE));
    let locators = srv6.or("locators", Vec::new(), list(locator));
    Some(Srv6 { locators: locators?, source: source?, core_interfaces: core_interfaces? })
}

fn locator(at: &At<'_>) -> Option<NamedLocator> {
    let locator = at.fields(&[
        "name",
        "prefix",
        "format",
        "blockLength",
        "nodeLength",
        "functionLength",
        "argumentLength",
    ])?;
    let name = locator.required("name", "name: main", NAME);
    let prefix = locator.required("prefix", "prefix: \"fc00:0:1::/48\"", LOCATOR_PREFIX);
    let lengths = written_lengths(&locator);
    let (prefix, lengths) = (prefix?, lengths?);
    Some(NamedLocator { name: name?, locator: build(&locator, prefix, lengths)? })
}

/// `None` inside means that the prefix is to tell.
fn written_lengths(locator: &Fields<'_>) -> Option<Option<Lengths>> {
    let format = locator.maybe(
        "format",
        word("a locator format", "f3216 or classic", |text| match text {
            "f3216" => Some(F3216),
            "classic" => Some(CLASSIC),
            _ => None,
        }),
    );
    let block = locator.maybe("blockLength", BITS);
    let node = locator.maybe("nodeLength", BITS);
    let function = locator.maybe("functionLength", BITS);
    let argument = locator.maybe("argumentLength", BITS);
    match (format?, block?, node?, function?, argument?) {
        (format, None, None, None, None) => Some(format),
        (None, Some(block), Some(node), Some(function), argument) => {
            Some(Some([block, node, function, argument.unwrap_or(0)]))
        }
        (Some(_), ..) => locator.at().refuse("\"format\" says the lengths already; leave the lengths or \"format\" out"),
        (None, ..) => locator.at().refuse(
            "lengths are missing; write blockLength, nodeLength and functionLength, or format: f3216 or classic",
        ),
    }
}

fn build(locator: &Fields<'_>, prefix: Ipv6Net, lengths: Option<Lengths>) -> Option<Locator> {
    let at = locator.find("prefix")?;
    let [block, node, function, argument] = match lengths {
        Some(lengths) => lengths,
        None if prefix.prefix_len() == 48 => F3216,
        None => {
            return at.refuse(format_args!(
                "/{} does not tell block from node; write format: classic (40 + 24) or blockLength, nodeLength and \
                 functionLength",
                prefix.prefix_len()
            ));
        }
    };
    if u16::from(prefix.prefix_len()) != u16::from(block) + u16::from(node) {
        return at.refuse(format_args!(
            "/{} is not block and node length, {block} + {node}; write /{}",
            prefix.prefix_len(),
            u16::from(block) + u16::from(node)
        ));
    }
    let structure = match SidStructure::new(block, node, function, argument, Transposition::NONE) {
        Ok(structure) => structure,
        Err(error) => return locator.at().refuse(format_args!("{error}; shorten one of the lengths")),
    };
    match Locator::new(prefix.addr(), structure) {
        Ok(locator) => Some(locator),
        Err(error) => at.refuse(format_args!("{error}; write {}", prefix.trunc())),
    }
}
