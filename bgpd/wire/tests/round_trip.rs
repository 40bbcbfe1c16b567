//! What is encoded is decoded to the same, for every message, attribute and family.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod common;

use bgp_wire::{
    Context, Message,
    attribute::{Attributes, PrefixSid, RawAttributes},
    message::frame_length,
    nlri::NlriList,
};
use common::{attributes, contexts, encoded_routes, families, messages, routes};
use proptest::{collection::vec, prelude::*};
use srv6_types::{Behavior, Sid};

fn with_context() -> impl Strategy<Value = (Context, Message)> {
    contexts().prop_flat_map(|context| (Just(context.clone()), messages::messages(context)))
}

proptest! {
    #[test]
    fn messages_survive((context, message) in with_context()) {
        let mut out = Vec::new();
        message.encode(&context, &mut out);
        prop_assert_eq!(frame_length(&out), Ok(Some(out.len())));
        // Long attributes of a short-message session are the packer's business.
        let context = Context { extended_message: true, ..context };
        prop_assert_eq!(Message::decode(out.into(), &context), Ok(message));
    }

    #[test]
    fn attributes_survive(attributes in attributes::internal_attributes(), four_octet_as: bool) {
        let context = Context { four_octet_as, ..Context::default() };
        let mut out = Vec::new();
        attributes.encode(None, &context, &mut out);
        let (decoded, faults) = Attributes::decode(&RawAttributes(out.into()), &context);
        prop_assert_eq!(faults, vec![]);
        prop_assert_eq!(decoded, attributes);
    }

    #[test]
    fn routes_survive(
        (family, add_path, withdraw, list) in (families(), any::<bool>(), any::<bool>()).prop_flat_map(
            |(family, add_path, withdraw)| {
                (Just(family), Just(add_path), Just(withdraw), vec(routes(family, add_path, withdraw), 0..20))
            },
        ),
    ) {
        let octets = encoded_routes(&list, family, add_path, withdraw);
        let decoded = NlriList::decode(family, add_path, withdraw, octets.clone()).unwrap();
        prop_assert_eq!(decoded.len(), list.len());
        prop_assert_eq!(decoded.octets(), &octets);
        prop_assert_eq!(decoded.iter().collect::<Vec<_>>(), list);
        prop_assert_eq!(decoded.iter4().count() + decoded.iter6().count(), decoded.len());
    }

    /// RFC 9252 section 4.
    #[test]
    fn transposed_bits_are_folded_back(bits: u128, structure in attributes::structures(), behavior: u16) {
        let sid = Sid::from_bits(bits);
        let (prefix_sid, label) = PrefixSid::l3(sid, structure, Behavior(behavior));
        prop_assert_eq!(prefix_sid.service_sid(Some(label)), Some((sid, Behavior(behavior))));
    }
}
