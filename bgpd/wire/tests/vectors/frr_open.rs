//! OPEN of FRR 10.3, RFC 4271 section 4.2 and RFC 5492: one capability per optional parameter.

use bgp_wire::{
    Family, Message,
    capability::{Capability, GracefulRestart},
    message::Open,
};

use crate::{bytes, decoded, encoded};

const OPEN: &str = "
    ffffffffffffffffffffffffffffffff 0085 01 04 fde9 00b4 0aff0001 68
    0206 0104 0001 00 80   0208 0506 0001 0080 0002   0206 0104 0002 00 80
    0202 0200   0202 4600   0206 4104 0000fde9   0202 0600
    020a 4508 0001 80 01 0002 80 01   020c 4c0a 0001 80 0000 0002 80 0000
    0206 4904 02766d00   0204 4002 c078   0210 470e 0001 80 80 000000 0002 80 80 000000";

fn open() -> Message {
    let unknown = |code, hex: &str| Capability::Unknown { code, value: bytes(hex).to_vec() };
    Message::Open(Open {
        my_as: 65001,
        hold_time: 180,
        router_id: [10, 255, 0, 1].into(),
        capabilities: vec![
            Capability::family(Family::Vpnv4),
            Capability::ExtendedNextHop(vec![(1, 128, 2)]),
            Capability::family(Family::Vpnv6),
            Capability::RouteRefresh,
            Capability::EnhancedRouteRefresh,
            Capability::FourOctetAs(65001),
            Capability::ExtendedMessage,
            Capability::AddPath(vec![(1, 128, 1), (2, 128, 1)]),
            unknown(76, "0001 80 0000 0002 80 0000"),
            unknown(73, "02766d00"),
            Capability::GracefulRestart(GracefulRestart {
                restarted: true,
                notification: true,
                restart_time: 120,
                families: vec![],
            }),
            unknown(71, "0001 80 80 000000 0002 80 80 000000"),
        ],
    })
}

#[test]
fn decodes() {
    assert_eq!(decoded(OPEN), open());
}

#[test]
fn encodes() {
    assert_eq!(encoded(&open()), bytes(OPEN));
}

#[test]
fn tells_the_families_and_the_real_as() {
    let Message::Open(open) = open() else { unreachable!() };
    assert_eq!(open.families(), [Family::Vpnv4, Family::Vpnv6]);
    assert_eq!(open.asn(), 65001);
}
