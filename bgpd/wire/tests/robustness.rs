//! No input makes a decoder panic, and what a decoder does take, it can write again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod common;

use bgp_wire::{
    Context, Message,
    attribute::{Attributes, RawAttributes, Verdict},
    message::{Update, frame_length},
};
use bytes::Bytes;
use common::{attributes, contexts, messages, octets};
use proptest::{prelude::*, sample::Index};

/// Everything that may be done with an UPDATE from anywhere.
fn use_up(body: Bytes, context: &Context) {
    let update = Update::parse(body, context);
    let (attributes, faults) = Attributes::decode(&update.attributes, context);
    let _ = update.verdict(&faults);
    for routes in &update.announced {
        let routes: Vec<_> = routes.nlri.iter().collect();
        for route in routes {
            let _ = attributes.prefix_sid.as_ref().and_then(|sid| sid.service_sid(route.label));
            let _ = (route.prefix.to_string(), route.rd.map(|rd| rd.to_string()));
        }
    }
    let _ = (format!("{attributes:?}"), attributes.as_path.to_string());
    update.faults.iter().chain(&faults).for_each(|fault| drop(fault.to_string()));
    let mut out = Vec::new();
    attributes.encode(None, context, &mut out);
    Message::Update(update.into_withdrawn()).encode(context, &mut out);
}

fn framed(kind: u8, body: &[u8]) -> Bytes {
    let length = (19 + body.len() as u16).to_be_bytes();
    [&[0xff; 16][..], &length, &[kind], body].concat().into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_octets_do_not_panic(body in octets(120), kind in 0..7u8, context in contexts()) {
        let _ = frame_length(&body);
        let _ = Message::decode(body.clone(), &context);
        let _ = Message::decode(framed(kind, &body), &context);
        use_up(body.clone(), &context);
        let _ = Attributes::decode(&RawAttributes(body), &context);
    }

    #[test]
    fn mutated_messages_do_not_panic(
        (context, message) in contexts().prop_flat_map(|context| (Just(context.clone()), messages::messages(context))),
        mutations in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<Index>()),
    ) {
        let mut out = Vec::new();
        message.encode(&context, &mut out);
        for (at, octet) in mutations {
            let at = at.index(out.len());
            out[at] = octet;
        }
        if let Some(cut) = cut {
            out.truncate(cut.index(out.len()));
        }
        let _ = Message::decode(out.clone().into(), &context);
        if let Some(body) = out.get(19..) {
            use_up(Bytes::copy_from_slice(body), &context);
            let _ = Message::decode(framed(out[18], body), &context);
        }
    }

    /// What was read without a fault, however odd, is read to the same when written again.
    #[test]
    fn a_faultless_decode_is_stable(
        attributes in attributes::internal_attributes(),
        four_octet_as: bool,
        (at, octet) in (any::<Index>(), any::<u8>()),
    ) {
        let context = Context { four_octet_as, ..Context::default() };
        let mut out = Vec::new();
        attributes.encode(None, &context, &mut out);
        let at = at.index(out.len());
        out[at] = octet;
        let (attributes, faults) = Attributes::decode(&RawAttributes(out.into()), &context);
        prop_assume!(Verdict::worst(&faults).is_none());
        let mut out = Vec::new();
        attributes.encode(None, &context, &mut out);
        prop_assert_eq!(Attributes::decode(&RawAttributes(out.into()), &context), (attributes, vec![]));
    }
}
