use std::net::{Ipv4Addr, Ipv6Addr};

use bgp_wire::{
    Context, Family, Message,
    attribute::RawAttributes,
    capability::{Capability, GracefulRestart},
    message::{Announced, NextHop, Notification, Open, Update, Withdrawn},
    nlri::NlriList,
};
use proptest::{collection::vec, option, prelude::*};

use super::{attributes::attributes, encoded_routes, families, octets, routes};

pub fn capabilities() -> impl Strategy<Value = Capability> {
    let restart = (any::<bool>(), any::<bool>(), 0..4096u16, vec(any::<(u16, u8, bool)>(), 0..4)).prop_map(
        |(restarted, notification, restart_time, families)| {
            Capability::GracefulRestart(GracefulRestart { restarted, notification, restart_time, families })
        },
    );
    prop_oneof![
        any::<(u16, u8)>().prop_map(|(afi, safi)| Capability::MultiProtocol { afi, safi }),
        Just(Capability::RouteRefresh),
        Just(Capability::EnhancedRouteRefresh),
        Just(Capability::ExtendedMessage),
        vec(any::<(u16, u16, u16)>(), 0..5).prop_map(Capability::ExtendedNextHop),
        restart,
        (1..=u32::MAX).prop_map(Capability::FourOctetAs),
        vec(any::<(u16, u8, u8)>(), 0..5).prop_map(Capability::AddPath),
        (128..=255u8, octets(40))
            .prop_map(|(code, value)| Capability::Unknown { code, value: value.to_vec() }),
    ]
}

fn opens() -> impl Strategy<Value = Open> {
    let hold_time = prop_oneof![Just(0), 3..=u16::MAX];
    (1..=u16::MAX, hold_time, 1..=u32::MAX, vec(capabilities(), 0..20)).prop_map(
        |(my_as, hold_time, router_id, capabilities)| Open {
            my_as,
            hold_time,
            router_id: router_id.into(),
            capabilities,
        },
    )
}

pub fn next_hops(family: Family) -> BoxedStrategy<NextHop> {
    let v4 = (1..0xe000_0000u32).prop_map(|bits| NextHop::V4(Ipv4Addr::from_bits(bits)));
    let v6 = (any::<Ipv6Addr>(), option::of((1..=u128::MAX).prop_map(Ipv6Addr::from_bits)))
        .prop_map(|(global, link_local)| NextHop::V6 { global, link_local });
    match family.is_ipv4() {
        true => prop_oneof![v4, v6].boxed(),
        false => v6.boxed(),
    }
}

fn lists(family: Family, add_path: bool, withdraw: bool) -> impl Strategy<Value = NlriList> {
    vec(routes(family, add_path, withdraw), 1..8).prop_map(move |routes| {
        let octets = encoded_routes(&routes, family, add_path, withdraw);
        NlriList::decode(family, add_path, withdraw, octets).unwrap()
    })
}

/// An UPDATE that announces in one family and withdraws in another.
pub fn updates(context: Context) -> impl Strategy<Value = Update> {
    (families(), families(), attributes()).prop_flat_map(move |(announced, withdrawn, attributes)| {
        let mut raw = Vec::new();
        attributes.encode(None, &context, &mut raw);
        let add_path = |family| context.add_path.contains(&family);
        let announced = (next_hops(announced), lists(announced, add_path(announced), false))
            .prop_map(|(next_hop, nlri)| Announced { next_hop, nlri });
        let withdrawn = option::of(lists(withdrawn, add_path(withdrawn), true));
        (announced, withdrawn).prop_map(move |(announced, withdrawn)| Update {
            announced: vec![announced],
            withdrawn: withdrawn.into_iter().map(|nlri| Withdrawn { nlri }).collect(),
            attributes: RawAttributes(raw.clone().into()),
            ..Update::default()
        })
    })
}

pub fn messages(context: Context) -> impl Strategy<Value = Message> {
    prop_oneof![
        opens().prop_map(Message::Open),
        updates(context).prop_map(Message::Update),
        (any::<u8>(), any::<u8>(), octets(30)).prop_map(|(code, subcode, payload)| {
            Message::Notification(Notification { code, subcode, payload })
        }),
        Just(Message::Keepalive),
        any::<(u16, u8, u8)>().prop_map(|(afi, safi, subtype)| Message::RouteRefresh { afi, safi, subtype }),
    ]
}
