//! VPNv4 and VPNv6 UPDATEs with an SRv6 L3 service, RFC 9252: FRR 10.3 with locator 32/16/16, FRR 8.4.4 with
//! 40/24/16 and the opaque behaviour. AS_PATH comes with an extended length that it does not need.

use std::net::Ipv6Addr;

use bgp_wire::{
    Message,
    attribute::{AsPath, Attributes, ExtendedCommunity, Origin, PrefixSid, RouteTarget},
    message::{NextHop, Update},
    nlri::Nlri,
};
use bytes::Bytes;
use srv6_types::{Behavior, Label, Sid, SidStructure, Transposition};

use crate::{bytes, context, decoded, encoded};

struct Capture {
    hex: &'static str,
    prefix: &'static str,
    label: u32,
    /// With the low bits of the label field as the sender put them: FRR sets 3.
    label_wire: [u8; 3],
    link_local: Option<&'static str>,
    origin: Origin,
    behavior: Behavior,
    lengths: [u8; 6],
    sid: &'static str,
}

const F3216: [u8; 6] = [32, 16, 16, 0, 16, 48];
const F4024: [u8; 6] = [40, 24, 16, 0, 16, 64];

const DT46_V4: Capture = Capture {
    hex: "ffffffffffffffffffffffffffffffff 008f 02 0000 0078
        900e002c 0001 80 18 000000000000000020010db8001200000000000000000001 00
            70 000103 0000fde900000001 0a0101
        40010100 50020006 02010000fde9 80040400000000 c01008 0002fde800000001
        c02825 050022 00 01001e 00 fc000000000100000000000000000000 00 0014 00 010006 201010001030",
    prefix: "10.1.1.0/24",
    label: 16,
    label_wire: [0x00, 0x01, 0x03],
    link_local: None,
    origin: Origin::Igp,
    behavior: Behavior::END_DT46,
    lengths: F3216,
    sid: "fc00:0:1:1::",
};

const DT46_V6: Capture = Capture {
    hex: "ffffffffffffffffffffffffffffffff 00ac 02 0000 0095
        900e0049 0002 80 30 000000000000000020010db8001200000000000000000001
                            0000000000000000fe80000000000000ac0a23fffe19a36d 00
            98 000103 0000fde900000001 20010db800010001
        40010100 50020006 02010000fde9 80040400000000 c01008 0002fde800000001
        c02825 050022 00 01001e 00 fc000000000100000000000000000000 00 0014 00 010006 201010001030",
    prefix: "2001:db8:1:1::/64",
    link_local: Some("fe80::ac0a:23ff:fe19:a36d"),
    ..DT46_V4
};

const DT6: Capture = Capture {
    hex: "ffffffffffffffffffffffffffffffff 00ac 02 0000 0095
        900e0049 0002 80 30 000000000000000020010db8001200000000000000000001
                            0000000000000000fe80000000000000ac0a23fffe19a36d 00
            98 000203 0000fde900000001 20010db800010001
        40010100 50020006 02010000fde9 80040400000000 c01008 0002fde800000001
        c02825 050022 00 01001e 00 fc000000000100000000000000000000 00 0012 00 010006 201010001030",
    label: 32,
    label_wire: [0x00, 0x02, 0x03],
    behavior: Behavior::END_DT6,
    sid: "fc00:0:1:2::",
    ..DT46_V6
};

const DT4: Capture = Capture {
    hex: "ffffffffffffffffffffffffffffffff 008f 02 0000 0078
        900e002c 0001 80 18 000000000000000020010db8001200000000000000000001 00
            70 000103 0000fde900000001 0a0101
        40010100 50020006 02010000fde9 80040400000000 c01008 0002fde800000001
        c02825 050022 00 01001e 00 fc000000000100000000000000000000 00 0013 00 010006 201010001030",
    behavior: Behavior::END_DT4,
    ..DT46_V4
};

const OPAQUE_V4: Capture = Capture {
    hex: "ffffffffffffffffffffffffffffffff 008f 02 0000 0078
        900e002c 0001 80 18 000000000000000020010db8001200000000000000000001 00
            70 010003 0000fde900000001 0a0101
        40010102 50020006 02010000fde9 80040400000000 c01008 0002fde800000001
        c02825 050022 00 01001e 00 fc000000000100000000000000000000 00 ffff 00 010006 281810001040",
    label: 4096,
    label_wire: [0x01, 0x00, 0x03],
    origin: Origin::Incomplete,
    behavior: Behavior::OPAQUE,
    lengths: F4024,
    sid: "fc00:0:1:0:100::",
    ..DT46_V4
};

const OPAQUE_V6: Capture = Capture {
    hex: "ffffffffffffffffffffffffffffffff 00ac 02 0000 0095
        900e0049 0002 80 30 000000000000000020010db8001200000000000000000001
                            0000000000000000fe80000000000000ac0a23fffe19a36d 00
            98 020003 0000fde900000001 20010db800010001
        40010102 50020006 02010000fde9 80040400000000 c01008 0002fde800000001
        c02825 050022 00 01001e 00 fc000000000100000000000000000000 00 ffff 00 010006 281810001040",
    label: 8192,
    label_wire: [0x02, 0x00, 0x03],
    sid: "fc00:0:1:0:200::",
    prefix: DT46_V6.prefix,
    link_local: DT46_V6.link_local,
    ..OPAQUE_V4
};

impl Capture {
    fn update(&self) -> Update {
        let Message::Update(update) = decoded(self.hex) else { panic!("not an UPDATE") };
        assert_eq!(update.faults, []);
        update
    }

    fn structure(&self) -> SidStructure {
        let [block, node, function, argument, len, offset] = self.lengths;
        let transposition = Transposition::new(len, offset).unwrap();
        SidStructure::new(block, node, function, argument, transposition).unwrap()
    }

    fn whole_sid(&self) -> Sid {
        self.sid.parse::<Ipv6Addr>().unwrap().into()
    }

    fn nlri(&self) -> Nlri {
        Nlri {
            path_id: 0,
            rd: Some("65001:1".parse().unwrap()),
            label: Label::new(self.label),
            prefix: self.prefix.parse().unwrap(),
        }
    }

    fn attributes(&self) -> Attributes {
        let target: RouteTarget = "65000:1".parse().unwrap();
        Attributes {
            origin: self.origin,
            as_path: AsPath::sequence([65001]),
            med: Some(0),
            extended_communities: vec![ExtendedCommunity::from(target)],
            prefix_sid: Some(PrefixSid::l3(self.whole_sid(), self.structure(), self.behavior).0),
            ..Attributes::default()
        }
    }

    fn decodes(&self) {
        let update = self.update();
        let [announced] = &update.announced[..] else { panic!("one list of routes") };
        assert_eq!(announced.nlri.iter().collect::<Vec<_>>(), [self.nlri()]);
        let link_local = self.link_local.map(|address| address.parse().unwrap());
        let global = "2001:db8:12::1".parse().unwrap();
        assert_eq!(announced.next_hop, NextHop::V6 { global, link_local });
        let (attributes, faults) = Attributes::decode(&update.attributes, &context());
        assert_eq!((attributes, faults), (self.attributes(), vec![]));
        assert_eq!(update.verdict(&[]), None);
    }

    fn encodes(&self) {
        assert_eq!(encoded(&Message::Update(self.update())), bytes(self.hex));
        let mut out = Vec::new();
        self.attributes().encode(None, &context(), &mut out);
        // Ours differs from FRR's in one thing: AS_PATH has its length in one octet.
        let frr = self.update().attributes.0;
        let (front, back) = (&frr[..4], &frr[8..]);
        assert_eq!(out, [front, &[0x40, 0x02, 0x06], back].concat());
    }

    fn folds_to_the_real_sid(&self) {
        let (sid, label) = PrefixSid::l3(self.whole_sid(), self.structure(), self.behavior);
        assert_eq!(label.value(), self.label);
        assert_eq!(Label::from_wire(self.label_wire), label);
        assert_eq!(sid.service_sid(Some(label)), Some((self.whole_sid(), self.behavior)));
        // Without the label the SID cannot be known: better none than the bare locator.
        assert_eq!(sid.service_sid(None), None);
    }
}

macro_rules! captures {
    ($($name:ident: $capture:expr;)+) => { $(mod $name {
        use super::*;
        #[test]
        fn decodes() { $capture.decodes(); }
        #[test]
        fn encodes() { $capture.encodes(); }
        #[test]
        fn folds_to_the_real_sid() { $capture.folds_to_the_real_sid(); }
    })+ };
}
captures! {
    frr_10_3_dt46_vpnv4: DT46_V4;
    frr_10_3_dt46_vpnv6: DT46_V6;
    frr_10_3_dt4: DT4;
    frr_10_3_dt6: DT6;
    frr_8_4_opaque_vpnv4: OPAQUE_V4;
    frr_8_4_opaque_vpnv6: OPAQUE_V6;
}

/// Unknown TLVs, sub-TLVs and sub-sub-TLVs, also before the known ones, come out as they went in.
#[test]
fn unknown_tlvs_in_odd_order_are_passed_on_octet_for_octet() {
    const ODD: &str =
        "c0283a 010003 aabbcc 05002e 07 090001 ff 010026 01 fc000000000100000000000000000000 02 0014 03
        080002 beef 010006 201010001030 070000 0a0000";
    let attribute = bytes(ODD);
    let (attributes, faults) =
        Attributes::decode(&bgp_wire::attribute::RawAttributes(attribute.clone()), &context());
    assert_eq!(faults, []);
    assert_eq!(
        attributes.prefix_sid.as_ref().unwrap().l3_service().unwrap().structure(),
        Some(&DT46_V4.structure())
    );
    let mut out = Vec::new();
    attributes.encode(None, &context(), &mut out);
    assert_eq!(Bytes::from(out).slice(7..), attribute, "behind ORIGIN and an empty AS_PATH");
}
