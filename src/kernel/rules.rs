use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv6Addr},
};

use futures_util::TryStreamExt;
use ipnet::Ipv6Net;
use netlink_packet_route::{
    AddressFamily,
    route::RouteProtocol,
    rule::{RuleAction, RuleAttribute, RuleMessage},
};
use rtnetlink::IpVersion;

use super::{Kernel, KernelError};

/// The same number as on routes of ours: that is how we know our rules.
const PROTOCOL: u8 = 161;
/// Right behind the local table (0): an earlier rule of others could let packets in.
const ADMIT: u32 = 161;
const REFUSE: u32 = 162;
const END: u32 = 163;

/// A rule of the fence around the SRv6 domain, RFC 8754 section 5.1: what the kernel forwards into the domain must have come
/// in by a core interface or be the node's own. In the order in which they are added, so that nothing is refused that
/// is to be admitted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    /// Where an admitted packet goes on, to the rules of others.
    End,
    Admit {
        from: String,
        to: Ipv6Net,
    },
    Refuse {
        to: Ipv6Net,
    },
}

impl Kernel {
    /// Makes the fence stand around `domain`, with `core` as its gates; without gates there is none.
    pub(crate) async fn fence(&self, domain: &BTreeSet<Ipv6Net>, core: &[String]) -> Result<(), KernelError> {
        let wanted = Rule::all(domain, core);
        let present = self.own_rules().await?;
        for rule in present.difference(&wanted).collect::<Vec<_>>().into_iter().rev() {
            let deleted = self.handle.rule().del(rule.message()).execute().await;
            deleted.map_err(KernelError::refused(format!("remove {rule:?}")))?;
        }
        for rule in wanted.difference(&present) {
            let mut request = self.handle.rule().add().v6();
            *request.message_mut() = rule.message();
            request.execute().await.map_err(KernelError::refused(format!("add {rule:?}")))?;
        }
        Ok(())
    }

    async fn own_rules(&self) -> Result<BTreeSet<Rule>, KernelError> {
        let rules = self.handle.rule().get(IpVersion::V6).execute();
        let own = rules.try_filter_map(async |message| Ok(Rule::from_message(&message)));
        own.try_collect().await.map_err(KernelError::refused("list policy rules"))
    }
}

impl Rule {
    fn all(domain: &BTreeSet<Ipv6Net>, core: &[String]) -> BTreeSet<Self> {
        if core.is_empty() {
            return BTreeSet::new();
        }
        // What the node itself sends comes, so to say, in by the loopback.
        let gates = || core.iter().map(String::as_str).chain(["lo"]);
        let rules = domain.iter().flat_map(|to| {
            let admit = gates().map(|from| Self::Admit { from: from.to_owned(), to: *to });
            admit.chain([Self::Refuse { to: *to }])
        });
        rules.chain([Self::End]).collect()
    }

    fn message(&self) -> RuleMessage {
        let mut message = RuleMessage::default();
        message.header.family = AddressFamily::Inet6;
        let (action, priority) = match self {
            Self::Admit { .. } => (RuleAction::Goto, ADMIT),
            Self::Refuse { .. } => (RuleAction::Blackhole, REFUSE),
            Self::End => (RuleAction::Nop, END),
        };
        message.header.action = action;
        message.attributes =
            vec![RuleAttribute::Priority(priority), RuleAttribute::Protocol(RouteProtocol::from(PROTOCOL))];
        if let Self::Admit { from, .. } = self {
            message.attributes.extend([RuleAttribute::Iifname(from.clone()), RuleAttribute::Goto(END)]);
        }
        if let Self::Admit { to, .. } | Self::Refuse { to } = self {
            message.header.dst_len = to.prefix_len();
            message.attributes.push(RuleAttribute::Destination(IpAddr::V6(to.addr())));
        }
        message
    }

    /// `None` for rules of others.
    fn from_message(message: &RuleMessage) -> Option<Self> {
        let (mut own, mut from, mut to) = (false, None, Ipv6Addr::UNSPECIFIED);
        for attribute in &message.attributes {
            match attribute {
                RuleAttribute::Protocol(protocol) => own = *protocol == RouteProtocol::from(PROTOCOL),
                RuleAttribute::Iifname(name) => from = Some(name.clone()),
                RuleAttribute::Destination(IpAddr::V6(address)) => to = *address,
                _ => {}
            }
        }
        let to = Ipv6Net::new(to, message.header.dst_len).ok()?;
        match (message.header.action, from) {
            _ if !own => None,
            (RuleAction::Goto, Some(from)) => Some(Self::Admit { from, to }),
            (RuleAction::Blackhole, None) => Some(Self::Refuse { to }),
            (RuleAction::Nop, None) => Some(Self::End),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_known_again() {
        let domain = BTreeSet::from(["fc00::/32".parse().unwrap(), "5f00::/16".parse().unwrap()]);
        let rules = Rule::all(&domain, &["eth0".to_owned(), "eth1".to_owned()]);
        assert_eq!(rules.len(), 2 * (3 + 1) + 1);
        for rule in &rules {
            assert_eq!(Rule::from_message(&rule.message()).as_ref(), Some(rule));
        }
    }

    #[test]
    fn rules_of_others_are_left_alone() {
        let mut message = Rule::Refuse { to: "fc00::/32".parse().unwrap() }.message();
        message.attributes.retain(|attribute| !matches!(attribute, RuleAttribute::Protocol(_)));
        assert_eq!(Rule::from_message(&message), None);
    }

    #[test]
    fn without_core_interfaces_there_is_no_fence() {
        assert_eq!(Rule::all(&BTreeSet::from(["fc00::/32".parse().unwrap()]), &[]), BTreeSet::new());
    }
}
