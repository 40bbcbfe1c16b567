//! FRR 10.3 as the other PE, the kernel's seg6 being its dataplane: every way of allotting SIDs and of dividing them into
//! locator and function, on both sides. Fetches FRR 10.3 on first use, and fails where that cannot be had.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "support/peers.rs"]
mod peers;

use std::time::Duration;

use lab::{Node, wait_until};
use peers::{Network, Pe, configure, eventually, items, reaches, unreachable, vtysh};
use serde_json::{Value, json};

/// How SIDs are allotted to the VRF.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sids {
    /// One End.DT46.
    PerVrf,
    /// An End.DT4 and an End.DT6.
    PerFamily,
}

/// How a locator divides into block and node.
#[derive(Clone, Copy)]
enum Format {
    /// 32 + 16, RFC 9800.
    F3216,
    /// 40 + 24.
    Classic,
}

#[derive(Clone, Copy)]
enum Session {
    Internal,
    External,
}

use Format::{Classic, F3216};
use Session::{External, Internal};
use Sids::{PerFamily, PerVrf};

/// What a family is called and has, on both sides.
struct Family {
    ours: &'static str,
    frrs: &'static str,
    at_ce1: (&'static str, &'static str),
    at_ce2: (&'static str, &'static str),
    behavior: &'static str,
}

const V4: Family = Family {
    ours: "vpnv4",
    frrs: "ipv4",
    at_ce1: ("10.0.1.0/24", "10.0.1.2"),
    at_ce2: ("10.0.2.0/24", "10.0.2.2"),
    behavior: "End.DT4",
};
const V6: Family = Family {
    ours: "vpnv6",
    frrs: "ipv6",
    at_ce1: ("fd00:1::/64", "fd00:1::2"),
    at_ce2: ("fd00:2::/64", "fd00:2::2"),
    behavior: "End.DT6",
};

impl Sids {
    fn behavior(self, family: &Family) -> &'static str {
        if self == Self::PerVrf { "End.DT46" } else { family.behavior }
    }
}

impl Format {
    fn locator(self, node: u8) -> String {
        match self {
            Self::F3216 => format!("fc00:0:{node}::/48"),
            Self::Classic => format!("5f00:0:{node}:1::/64"),
        }
    }

    const fn frrs_lengths(self) -> &'static str {
        match self {
            Self::F3216 => "block-len 32 node-len 16 func-bits 16",
            Self::Classic => "block-len 40 node-len 24 func-bits 16",
        }
    }
}

/// FRR's AS number; ours is 65001.
const fn asn(session: Session) -> &'static str {
    match session {
        Session::Internal => "65001",
        Session::External => "65002",
    }
}

fn up(name: &str, ours: (Format, Sids), frrs: (Format, Sids), session: Session) -> Network {
    let words = [
        ("@OUR_LOCATOR@", &*ours.0.locator(1)),
        ("@OUR_FORMAT@", if matches!(ours.0, F3216) { "f3216" } else { "classic" }),
        ("@OUR_SIDS@", if ours.1 == PerVrf { "per-vrf" } else { "per-family" }),
        ("@FRR_LOCATOR@", &frrs.0.locator(2)),
        ("@FRR_FORMAT@", frrs.0.frrs_lengths()),
        ("@FRR_ASN@", asn(session)),
    ];
    let network = Network::up("frr_pe", name, &["pe"], &words);
    let frr = network.node("frr");
    allot_sids(&frr, asn(session), frrs.1);
    network.pe("pe").await_session("fd00:c::2");
    export_vpn(&frr, asn(session));
    drop(frr);
    network
}

/// FRR 10.3 asks zebra for SIDs once, and gets none where zebra was not ready: then it is to ask again.
#[track_caller]
fn allot_sids(frr: &Node<'_>, asn: &str, sids: Sids) {
    let line = match sids {
        PerVrf => "sid vpn per-vrf export auto",
        PerFamily => "sid vpn export auto",
    };
    let set = |no: &str| match sids {
        PerVrf => configure(frr, &[&format!("router bgp {asn}"), &format!("{no}{line}")]),
        PerFamily => in_both_families(frr, asn, &format!("{no}{line}")),
    };
    let allotted = || V4.frrs_sid(frr).is_some() && V6.frrs_sid(frr).is_some();
    eventually("FRR knows its locator", || {
        frr.check(["vtysh", "-c", "show bgp segment-routing srv6"]).contains("prefix: ")
    });
    again_and_again("FRR has SIDs", || set(""), allotted, || set("no "));
}

/// FRR 10.3 may leave routes out that are exported just when their SID comes: then they are to be exported again.
#[track_caller]
fn export_vpn(frr: &Node<'_>, asn: &str) {
    let sent = |family: &Family| {
        let answer = vtysh(frr, &format!("show bgp {} vpn {} json", family.frrs, family.at_ce2.0));
        answer["65002:1"]["advertisedTo"]["fd00:c::1"].is_object()
    };
    again_and_again(
        "FRR has sent its routes",
        || in_both_families(frr, asn, "export vpn"),
        || sent(&V4) && sent(&V6),
        || in_both_families(frr, asn, "no export vpn"),
    );
}

fn in_both_families(frr: &Node<'_>, asn: &str, line: &str) {
    let router = format!("router bgp {asn}");
    configure(
        frr,
        &[&router, "address-family ipv4 unicast", line, "exit", "address-family ipv6 unicast", line],
    );
}

/// Gets round the races of FRR 10.3.
#[track_caller]
fn again_and_again(claim: &str, set: impl Fn(), done: impl Fn() -> bool, unset: impl Fn()) {
    for _ in 0..6 {
        set();
        if wait_until(Duration::from_secs(5), &done) {
            return;
        }
        unset();
    }
    panic!("FRR does not come to it: {claim}");
}

impl Family {
    /// FRR's SID for the family: that of the VRF, or its own.
    fn frrs_sid(&self, frr: &Node<'_>) -> Option<String> {
        let said = frr.check(["vtysh", "-c", "show bgp segment-routing srv6"]);
        let own = if self.frrs == "ipv4" { "[AFI_IP].tovpn_sid: " } else { "[AFI_IP6].tovpn_sid: " };
        let after =
            |mark: &str| said.lines().find_map(|line| Some(line.split_once(mark)?.1.trim().to_owned()));
        [own, "per-vrf tovpn_sid: "].into_iter().filter_map(after).find(|sid| sid != "(null)")
    }

    /// What FRR holds of our route: its SID, folded here as FRR shows it transposed (RFC 9252 section 4), if it is best.
    fn our_route_at_frr(&self, frr: &Node<'_>) -> Option<Value> {
        let answer = vtysh(frr, &format!("show bgp {} vpn {} json", self.frrs, self.at_ce1.0));
        items(&answer["65001:1"]["paths"])
            .find(|path| path["valid"] == true && path["bestpath"]["overall"] == true)
            .cloned()
    }

    /// The kernel's route on FRR's side.
    fn our_route_in_frrs_kernel(&self, frr: &Node<'_>) -> String {
        let family = if self.frrs == "ipv4" { "-4" } else { "-6" };
        frr.check(["ip", family, "route", "show", self.at_ce1.0])
    }

    /// Takes packets for FRR's SID off the tunnel. FRR itself has installed End.DT6 where the SID is for IPv6 alone; End.DT4
    /// and End.DT46 the kernel does not do without VRF devices.
    fn decapsulate(&self, frr: &Node<'_>, sids: Sids) {
        let sid = format!("{}/128", self.frrs_sid(frr).expect("FRR has a SID"));
        let route = ["ip", "-6", "route", "replace", &sid, "encap", "seg6local", "action"];
        match (self.frrs, sids) {
            ("ipv4", _) => {
                drop(frr.check([&route[..], &["End.DX4", "nh4", "10.0.2.2", "dev", "eth2"]].concat()))
            }
            (_, PerVrf) => {
                drop(frr.check([&route[..], &["End.DT6", "table", "254", "dev", "eth2"]].concat()))
            }
            (_, PerFamily) => eventually("FRR has installed End.DT6", || {
                frr.check(["ip", "-6", "route", "show", &sid]).contains("action End.DT6 table")
            }),
        }
    }
}

#[track_caller]
fn we_hold_frrs_route(pe: &Pe<'_>, frr: &Node<'_>, family: &Family, sids: Sids) {
    let route = pe.await_learnt("red", family.at_ce2.0);
    let sid = family.frrs_sid(frr);
    assert_eq!(route["nextHop"]["segments"], json!([sid]), "{route}");
    let [path] = &pe.paths(family.ours, family.at_ce2.0)[..] else {
        panic!("one path for {}", family.at_ce2.0)
    };
    assert_eq!(path["behavior"], sids.behavior(family), "{path}");
    assert_eq!(path["nextHop"], "fd00:c::2", "{path}");
    assert_eq!((&path["best"], &path["rd"]), (&json!(true), &json!("65002:1")), "{path}");
}

#[track_caller]
fn frr_holds_our_route(pe: &Pe<'_>, frr: &Node<'_>, family: &Family, sids: Sids) {
    let sid = pe.sid(sids.behavior(family)).expect("we have a SID");
    let mut path = Value::Null;
    eventually(&format!("FRR's best for {} is ours", family.at_ce1.0), || {
        path = family.our_route_at_frr(frr).unwrap_or_default();
        path != Value::Null
    });
    assert_eq!(folded(&path), sid, "{path}");
    assert_eq!(path["extendedCommunity"]["string"], "RT:65000:1", "{path}");
    let encapsulation = format!("encap seg6 mode encap segs 1 [ {sid} ]");
    eventually(&format!("FRR's kernel does {encapsulation}"), || {
        family.our_route_in_frrs_kernel(frr).contains(&encapsulation)
    });
}

/// The SID of a path as FRR shows it: the function stands in the upper 16 of the label's 20 bits, and right behind the
/// locator in the SID.
fn folded(path: &Value) -> String {
    let locator: std::net::Ipv6Addr =
        path["remoteSid"].as_str().and_then(|sid| sid.parse().ok()).expect("a SID");
    let function = path["remoteLabel"].as_u64().expect("a label") >> 4;
    let length = if locator.segments()[0] == 0x5f00 { 64 } else { 48 };
    let sid = locator.to_bits() | u128::from(function) << (128 - 16 - length);
    std::net::Ipv6Addr::from_bits(sid).to_string()
}

fn pes_understand_each_other(name: &str, ours: (Format, Sids), frrs: (Format, Sids), session: Session) {
    let network = up(name, ours, frrs, session);
    let (pe, frr) = (network.pe("pe"), network.node("frr"));
    for family in [&V4, &V6] {
        we_hold_frrs_route(&pe, &frr, family, frrs.1);
        frr_holds_our_route(&pe, &frr, family, ours.1);
        family.decapsulate(&frr, frrs.1);
        reaches(&network.node("ce1"), family.at_ce2.1);
        reaches(&network.node("ce2"), family.at_ce1.1);
    }
}

macro_rules! pes_understand_each_other {
    ($($name:ident: ours $ours:tt, frrs $frrs:tt, $session:ident;)+) => {
        $(#[test]
        fn $name() {
            pes_understand_each_other(&format!("t-interop-{}", stringify!($name).replace('_', "-")), $ours, $frrs, $session);
        })+
    };
}

// Every three of these four together: our format, our SIDs, FRR's format, FRR's SIDs.
pes_understand_each_other! {
    f3216_dt46_with_f3216_dt46: ours (F3216, PerVrf), frrs (F3216, PerVrf), External;
    f3216_dt46_with_classic_dt4_dt6: ours (F3216, PerVrf), frrs (Classic, PerFamily), Internal;
    f3216_dt4_dt6_with_f3216_dt4_dt6: ours (F3216, PerFamily), frrs (F3216, PerFamily), External;
    f3216_dt4_dt6_with_classic_dt46: ours (F3216, PerFamily), frrs (Classic, PerVrf), Internal;
    classic_dt46_with_classic_dt46: ours (Classic, PerVrf), frrs (Classic, PerVrf), External;
    classic_dt46_with_f3216_dt4_dt6: ours (Classic, PerVrf), frrs (F3216, PerFamily), Internal;
    classic_dt4_dt6_with_classic_dt4_dt6: ours (Classic, PerFamily), frrs (Classic, PerFamily), External;
    classic_dt4_dt6_with_f3216_dt46: ours (Classic, PerFamily), frrs (F3216, PerVrf), Internal;
}

#[test]
fn what_one_pe_withdraws_is_gone_from_the_dataplane_of_the_other() {
    let sids = (F3216, PerVrf);
    let network = up("t-interop-frr-withdraw", sids, sids, External);
    let (pe, frr) = (network.pe("pe"), network.node("frr"));
    V4.decapsulate(&frr, PerVrf);
    reaches(&network.node("ce1"), V4.at_ce2.1);
    for family in [&V4, &V6] {
        we_hold_frrs_route(&pe, &frr, family, PerVrf);
        frr_holds_our_route(&pe, &frr, family, PerVrf);
    }

    in_both_families(&frr, asn(External), "no export vpn");
    [&V4, &V6].into_iter().for_each(|family| pe.await_gone("red", family.at_ce2.0));
    assert!(unreachable(&network.node("ce1"), V4.at_ce2.1));
    assert_ne!(pe.dropped("red", "no-route-in-vrf"), 0);
    export_vpn(&frr, asn(External));
    [&V4, &V6].into_iter().for_each(|family| drop(pe.await_learnt("red", family.at_ce2.0)));
    reaches(&network.node("ce1"), V4.at_ce2.1);

    network.edit("pe.yaml", "sidMode: per-vrf", "redistribute: [static]");
    pe.reload();
    for family in [&V4, &V6] {
        eventually("FRR's kernel has no way to us any more", || {
            family.our_route_in_frrs_kernel(&frr).is_empty()
        });
    }
}
