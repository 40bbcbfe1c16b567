use srv6_dp::model::{Action, Direction, Transport};
use vrf_manager::intent::FilterRule;

use super::{
    kind::{Kind, PORTS, SHORT_NAME, prefix, whole, word},
    reader::At,
};

/// A rule of a VRF's filter, or of a circuit's.
pub(super) fn rule(at: &At<'_>) -> Option<FilterRule> {
    let rule = at.fields(&["name", "direction", "prefix", "protocol", "ports", "action"])?;
    let name = rule.required("name", "name: no-telnet", SHORT_NAME);
    let direction = rule.required("direction", "direction: in", DIRECTION);
    let prefix = rule.maybe("prefix", prefix);
    let protocol = rule.maybe("protocol", PROTOCOL);
    let ports = rule.maybe("ports", PORTS);
    let action = rule.required("action", "action: drop", ACTION);
    Some(FilterRule {
        name: name?,
        direction: direction?,
        prefix: prefix?,
        protocol: protocol?,
        ports: ports?,
        action: action?,
    })
}

const DIRECTION: Kind<Direction> =
    word("a direction", "in (from the circuit) or out (to it)", |text| match text {
        "in" => Some(Direction::In),
        "out" => Some(Direction::Out),
        _ => None,
    });

const ACTION: Kind<Action> = word("an action", "accept or drop", |text| match text {
    "accept" => Some(Action::Accept),
    "drop" => Some(Action::Drop),
    _ => None,
});

const PROTOCOL: Kind<u8> =
    word("an IP protocol", "tcp, udp, sctp, icmp, icmpv6 or a number, 0 to 255", |text| match text {
        "tcp" => Some(Transport::Tcp.number()),
        "udp" => Some(Transport::Udp.number()),
        "sctp" => Some(Transport::Sctp.number()),
        "icmp" => Some(1),
        "icmpv6" => Some(58),
        _ => whole(text)?.try_into().ok(),
    });
