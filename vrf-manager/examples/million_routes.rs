//! What a million VPN routes cost the tables: `cargo run --release -p vrf-manager --example million_routes`.

use std::{net::Ipv4Addr, time::Instant};

use bgp_core::{
    config::PeerId,
    rib::{VpnPath, VrfRoute},
};
use bgp_wire::nlri::{Prefix, Prefix4};
use srv6_dp::{State, model::Vrf};
use srv6_types::{Behavior, Sid, VrfId};
use vrf_manager::VrfTables;

const ROUTES: u32 = 1_000_000;

fn route(n: u32, service: Option<u128>) -> VrfRoute {
    let prefix = Prefix::V4(Prefix4 { addr: (n << 8).to_be_bytes(), len: 24 });
    let path = service.map(|service| VpnPath {
        sid: Some(Sid::from_bits(0xfc00_0000_0002_0000 << 64 | service)),
        behavior: Behavior::END_DT46,
        next_hop: Ipv4Addr::LOCALHOST.into(),
        peer: PeerId(1),
        local: None,
        external: false,
        stale: false,
    });
    VrfRoute { vrf: VrfId(1), prefix, path }
}

fn resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1e6
}

fn main() {
    let observed = State { vrfs: [(VrfId(1), Vrf::default())].into(), ..State::default() };
    let mut tables = VrfTables::adopt(observed);
    let before = resident_megabytes();
    let mut pass = |name: &str, service: fn(u32) -> Option<u128>| {
        let start = Instant::now();
        let changes = (0..ROUTES).filter_map(|n| tables.learn(&route(n, service(n)))).count();
        let each = start.elapsed().as_nanos() / u128::from(ROUTES);
        let grown = resident_megabytes() - before;
        println!("{name:10} {changes:>8} changes, {each:>5} ns each, {grown:>6.1} MB");
    };
    pass("learn", |n| Some(u128::from(n % 100) << 48));
    pass("again", |n| Some(u128::from(n % 100) << 48));
    pass("move", |n| Some(u128::from(n % 100 + 100) << 48));
    pass("withdraw", |_| None);
}
