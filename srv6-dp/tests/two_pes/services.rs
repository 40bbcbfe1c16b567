//! Real TCP and UDP through VIPs, offloads on: what the kernel has yet to segment, and to make the checksums of.

use std::net::IpAddr;

use srv6_types::maps::{
    BackendEntry, MAGLEV_ROW, MaglevTable, ServiceEntry, ServiceKey, backend_flag, service_counter,
};

use super::*;

const TCP: u8 = 6;
const UDP: u8 = 17;
const IPERF: [u8; 2] = 5201_u16.to_be_bytes();

fn octets(address: &str) -> (u8, [u8; 16]) {
    match address.parse().unwrap() {
        IpAddr::V4(address) => (4, [&address.octets()[..], &[0; 12]].concat().try_into().unwrap()),
        IpAddr::V6(address) => (6, address.octets()),
    }
}

/// iperf3 of one backend behind a VIP.
fn serve(pe: &mut Pe, slot: u16, vip: &str, backend: &str, direct: bool) {
    let index = u32::from(slot);
    let table = MaglevTable { row: index, size: 61 };
    let here = if direct { MaglevTable::default() } else { table };
    let entry = ServiceEntry { counter: index, flags: 0, affinity: 0, reserved: 0, all: table, here };
    let (family, address) = octets(vip);
    for protocol in [TCP, UDP] {
        pe.hash("SERVICES", ServiceKey { vrf: RED, address, port: IPERF, protocol, family }, entry);
    }
    pe.array("MAGLEV", index, [index; MAGLEV_ROW]);
    let backend = BackendEntry {
        address: octets(backend).1,
        port: IPERF,
        family,
        flags: backend_flag::LIVE | if direct { backend_flag::DIRECT } else { 0 },
        generation: 1,
        source: 0,
        weight: 1,
        service: slot,
    };
    pe.array("BACKENDS", index, backend);
    pe.route(RED, &format!("{vip}/{}", if family == 4 { 32 } else { 128 }), on(kind::SERVICE, 0));
}

const VIPS: [&str; 2] = ["10.100.0.1", "fd00:100::1"];

/// The client's PE hands on, the backend's PE translates, and its answers go straight to the client.
#[test]
fn a_backend_behind_the_other_pe() {
    let mut lab = Lab::new();
    let [pe1, pe2] = &mut lab.pes[..] else { panic!() };
    for (slot, (vip, backend)) in (1..).zip(VIPS.into_iter().zip(["10.0.2.2", "2001:db8:2::2"])) {
        serve(pe1, slot, vip, backend, true);
        serve(pe2, slot, vip, backend, false);
    }
    for pe in [pe1, pe2] {
        pe.flow_table(RED, 1024);
    }
    for vip in VIPS {
        let rate = lab.tcp("ce2", vip);
        println!("TCP to {vip}: {:.2} Gbit/s", rate / 1e9);
        assert!(rate > 5e8, "TCP to {vip}: {rate} bit/s");
        let rate = lab.iperf("ce2", &format!("-u -b 50M -t 1 -l 1200 -c {vip}"));
        assert!(rate > 4e7, "UDP to {vip}: {rate} bit/s");
    }
    let (packets, octets) = lab.pes[0].counter(RED, vrf_counter::ENCAPSULATED);
    assert!(octets / packets > 4000, "{octets} octets in {packets} packets");
    assert_eq!(lab.pes[0].service_counter(1, service_counter::REPLIES).0, 0);
    assert!(lab.pes[1].service_counter(1, service_counter::REPLIES).0 > 0);
}

/// Translated twice at one PE, and from one circuit back out of it.
#[test]
fn a_backend_that_is_its_own_client() {
    let mut lab = Lab::new();
    let pe1 = &mut lab.pes[0];
    for (slot, (vip, backend)) in (1..).zip(VIPS.into_iter().zip(["10.0.1.2", "2001:db8:1::2"])) {
        serve(pe1, slot, vip, backend, false);
    }
    pe1.flow_table(RED, 1024);
    for vip in VIPS {
        let rate = lab.tcp("ce1", vip);
        println!("TCP to {vip}: {:.2} Gbit/s", rate / 1e9);
        assert!(rate > 5e8, "TCP to {vip}: {rate} bit/s");
        let rate = lab.iperf("ce1", &format!("-u -b 50M -t 1 -l 1200 -c {vip}"));
        assert!(rate > 4e7, "UDP to {vip}: {rate} bit/s");
    }
}
