//! A PE with services, whose tables are filled by hand: a client on red1, backends on red2 and behind another PE.
#![allow(missing_docs, unreachable_pub, reason = "no interface")]

use std::net::IpAddr;

use srv6_types::{
    Behavior,
    maps::{
        BackendEntry, MAGLEV_ROW, MaglevRow, MaglevTable, NextHopEntry, ServiceEntry, ServiceKey, SidEntry,
        backend_flag, next_hop_kind as kind, sid_flag,
    },
};

use super::support::{packet::*, *};

pub const CLIENT4: &str = "10.1.0.2";
pub const CLIENT6: &str = "2001:db8:1::2";
pub const VIP4: &str = "10.100.0.1";
pub const VIP6: &str = "fd00:100::1";
pub const OTHER_VIP4: &str = "10.100.0.2";
/// Behind red2.
pub const BACKENDS4: [&str; 3] = ["10.9.0.2", "10.9.0.3", "10.9.0.4"];
pub const BACKENDS6: [&str; 3] = ["2001:db8:9::2", "2001:db8:9::3", "2001:db8:9::4"];
/// Behind another PE.
pub const REMOTE4: &str = "10.2.0.9";
pub const REMOTE6: &str = "2001:db8:2::9";
/// What comes in by it may go to every backend.
pub const BALANCE: &str = "fc00:0:1:ba::";

pub const SYN: u8 = 0x02;
pub const ACK: u8 = 0x10;
pub const FIN_ACK: u8 = 0x11;
pub const SYN_ACK: u8 = 0x12;

const TABLE: u32 = 61;

pub struct Lab {
    pub pe: Pe,
    rows: u32,
    services: u16,
}

/// A backend as the tests name it.
#[derive(Clone, Copy)]
pub struct At {
    pub slot: u32,
    pub address: &'static str,
    pub port: u16,
    pub flags: u8,
    pub generation: u32,
    pub weight: u16,
}

pub const fn at(slot: u32, address: &'static str) -> At {
    At { slot, address, port: 8080, flags: backend_flag::LIVE, generation: 1, weight: 1 }
}

pub const fn direct(slot: u32, address: &'static str) -> At {
    At { flags: backend_flag::LIVE | backend_flag::DIRECT, ..at(slot, address) }
}

impl Lab {
    pub fn new() -> Self {
        let mut pe = Pe::new();
        let (red1, red2, blue1) = (pe.red1, pe.red2, pe.blue1);
        for (vrf, prefix, next_hop) in [
            (RED, "10.1.0.0/24", on(kind::CONNECTED, red1)),
            (RED, "2001:db8:1::/64", on(kind::CONNECTED, red1)),
            (RED, "10.9.0.0/24", on(kind::CONNECTED, red2)),
            (RED, "2001:db8:9::/64", on(kind::CONNECTED, red2)),
            (RED, "10.2.0.0/16", encapsulate(kind::ENCAPS_RED, &[REMOTE])),
            (RED, "2001:db8:2::/48", encapsulate(kind::ENCAPS_RED, &[REMOTE])),
            (BLUE, "10.1.0.0/24", on(kind::CONNECTED, blue1)),
            (BLUE, "10.9.0.0/24", on(kind::CONNECTED, blue1)),
            (BLUE, "10.100.0.0/24", on(kind::CONNECTED, blue1)),
            (BLUE, "2001:db8:1::/64", on(kind::CONNECTED, blue1)),
            (BLUE, "2001:db8:9::/64", on(kind::CONNECTED, blue1)),
            (BLUE, "fd00:100::/64", on(kind::CONNECTED, blue1)),
        ] {
            pe.route(vrf, prefix, next_hop);
        }
        let Behavior(behavior) = Behavior::END_DT46;
        let sid =
            SidEntry { behavior: behavior.into(), vrf: RED, counter: 9, flags: sid_flag::BALANCE, egress: 0 };
        pe.hash("SIDS", octets6(BALANCE), sid);
        for vrf in [RED, BLUE] {
            pe.flow_table(vrf, 1024);
        }
        Self { pe, rows: 0, services: 0 }
    }

    /// Port 80 of both VIPs in `RED` for TCP, UDP and SCTP, with the first backend of each family.
    pub fn with_one_backend() -> Self {
        let mut lab = Self::new();
        for protocol in [TCP, UDP, SCTP] {
            let port = if protocol == SCTP { 80 } else { 8080 };
            let slot = u32::from(protocol);
            lab.service(RED, VIP4, 80, protocol, &[At { port, ..at(slot, BACKENDS4[0]) }]);
            lab.service(RED, VIP6, 80, protocol, &[At { port, ..at(200 + slot, BACKENDS6[0]) }]);
        }
        lab
    }

    /// Sets a service and its backends; returns the index of its counters.
    pub fn service(&mut self, vrf: u32, vip: &str, port: u16, protocol: u8, all: &[At]) -> u32 {
        let here: Vec<_> = all.iter().copied().filter(|at| at.flags & backend_flag::DIRECT == 0).collect();
        self.set(vrf, vip, port, protocol, all, &here, |_| {})
    }

    #[expect(clippy::too_many_arguments, reason = "a table's columns")]
    pub fn set(
        &mut self,
        vrf: u32,
        vip: &str,
        port: u16,
        protocol: u8,
        all: &[At],
        here: &[At],
        change: impl Fn(&mut ServiceEntry),
    ) -> u32 {
        self.services += 1;
        let service = self.services;
        for backend in all.iter().chain(here) {
            self.backend(*backend, service);
        }
        let mut entry = ServiceEntry {
            counter: service.into(),
            flags: 0,
            affinity: 0,
            reserved: 0,
            all: self.table(all),
            here: self.table(here),
        };
        change(&mut entry);
        let (family, address) = octets(vip);
        let key = ServiceKey { vrf, address, port: port.to_be_bytes(), protocol, family };
        self.pe.hash("SERVICES", key, entry);
        let prefix = if family == 4 { format!("{vip}/32") } else { format!("{vip}/128") };
        self.pe.route(vrf, &prefix, NextHopEntry { kind: kind::SERVICE, ..on(kind::NONE, 0) });
        service.into()
    }

    pub fn backend(&mut self, backend: At, service: u16) {
        let (family, address) = octets(backend.address);
        let entry = BackendEntry {
            address,
            port: backend.port.to_be_bytes(),
            family,
            flags: backend.flags,
            generation: backend.generation,
            source: 0,
            weight: backend.weight,
            service,
        };
        self.pe.array("BACKENDS", backend.slot, entry);
    }

    /// Shares out a table among the backends in turn.
    fn table(&mut self, backends: &[At]) -> MaglevTable {
        if backends.is_empty() {
            return MaglevTable::default();
        }
        self.rows += 1;
        let mut row: MaglevRow = [0; MAGLEV_ROW];
        for (place, slot) in row.iter_mut().enumerate() {
            *slot = backends[place % backends.len()].slot;
        }
        self.pe.array("MAGLEV", self.rows, row);
        MaglevTable { row: self.rows, size: TABLE }
    }

    /// Sends on red1, sees it go to a backend, and returns which address that has.
    pub fn backend_of(&mut self, packet: &Ip) -> IpAddr {
        let run = self.pe.circuit(packet);
        assert_eq!(run.action, REDIRECT, "dropped so far: {:?}", run.drops);
        match run.ethertype() {
            0x0800 => IpAddr::from(<[u8; 4]>::try_from(&run.ip()[16..20]).unwrap()),
            _ => IpAddr::from(<[u8; 16]>::try_from(&run.ip()[24..40]).unwrap()),
        }
    }

    /// A request on red1 and its answer on red2 are translated, octet by octet as expected.
    pub fn assert_balanced(&mut self, what: &str, request: &Ip, backend: (&str, u16)) {
        let vip = (request.destination.to_string(), port(request, 2));
        let client = (request.source.to_string(), port(request, 0));
        let there = request.clone().between((&client.0, client.1), backend);
        self.pe.circuit(request).assert_sent(what, &there.clone().ttl(63));
        let answer = there.between(backend, (&client.0, client.1));
        let back = answer.clone().between((&vip.0, vip.1), (&client.0, client.1));
        let red2 = self.pe.red2;
        self.pe.on_circuit(red2, &answer).assert_sent(&format!("{what}, answer"), &back.ttl(63));
    }
}

fn port(ip: &Ip, at: usize) -> u16 {
    u16::from_be_bytes([ip.payload[at], ip.payload[at + 1]])
}

pub fn octets(address: &str) -> (u8, [u8; 16]) {
    match address.parse().unwrap() {
        IpAddr::V4(address) => (4, [&address.octets()[..], &[0; 12]].concat().try_into().unwrap()),
        IpAddr::V6(address) => (6, address.octets()),
    }
}
