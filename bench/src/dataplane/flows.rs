//! Flow tables: what a packet costs with many flows, and how much memory they take, beside netfilter's conntrack.

use std::{
    fs,
    os::fd::{AsFd, AsRawFd},
};

use aya::maps::loaded_maps;
use srv6_dp::model::Vrf;
use srv6_types::maps::{FlowEntry, FlowKey};

use super::{
    DataplaneBenchError as Error, Options,
    contest::History,
    grid::{Grid, Way},
    services::{TABLE, nft_map, services, sixedge},
    sites::{self, Family, client, flows, forth, server, vip},
};
use crate::folder::Folder;

const SIZES: [usize; 2] = [1, 100_000];

const BALANCE4: [Way; 2] = [
    ("sixedge, IPv4", |device, folder, _| sixedge(device, folder, &services(Family::V4, 1))),
    ("nft, IPv4", |device, folder, _| nft_map(device, folder, &services(Family::V4, 1))),
];
const BALANCE6: [Way; 2] = [
    ("sixedge, IPv6", |device, folder, _| sixedge(device, folder, &services(Family::V6, 1))),
    ("nft, IPv6", |device, folder, _| nft_map(device, folder, &services(Family::V6, 1))),
];
/// What there is without remembering anything.
const FORWARD: [Way; 2] = [
    ("sixedge", |device, folder, _| {
        device.provider_edge(folder, |state, interfaces| sites::sixedge(state, interfaces, Vrf::default()))
    }),
    ("kernel", |device, _, _| sites::kernel(device)),
];

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    // Name, objects in use, objects, octets of each: both directions of a flow.
    println!("netfilter: {} octets for each flow", number("/proc/slabinfo", "nf_conntrack ", 2)?);
    for (title, ways, family, destination) in [
        ("To one service", &BALANCE4, Family::V4, vip(Family::V4, 0)),
        ("To one service", &BALANCE6, Family::V6, vip(Family::V6, 0)),
        ("Plain forwarding", &FORWARD, Family::V4, server(Family::V4, 0)),
    ] {
        let grid = Grid::new(ways, &SIZES, "flows", folder)?;
        if family == Family::V6 {
            println!(
                "sixedge: {:.0} octets for each of {TABLE} entries, two for a flow, all at once",
                entry_memory()?
            );
        }
        let traffic = SIZES.map(|size| forth(&flows(size, |n| client(family, n), |_| destination)));
        let traffic = traffic.into_iter().collect::<Result<Vec<_>, _>>()?;
        let again: Vec<_> = traffic.iter().map(|flows| (flows, History::Only(vec![flows]))).collect();
        grid.contest(title, &again, options)?;
    }
    Ok(())
}

/// Octets of memory for an entry of a flow table of ours, which is loaded.
fn entry_memory() -> Result<f64, Error> {
    let (key, value) = (size_of::<FlowKey>() as u32, size_of::<FlowEntry>() as u32);
    let table = loaded_maps()
        .filter_map(Result::ok)
        .find(|map| (map.key_size(), map.value_size(), map.max_entries()) == (key, value, TABLE))
        .ok_or(Error::Missing("a flow table"))?;
    let map = table.fd().map_err(Error::ebpf)?;
    let path = format!("/proc/self/fdinfo/{}", map.as_fd().as_raw_fd());
    Ok(number(&path, "memlock:", 0)? / f64::from(TABLE))
}

/// The `at`th word behind a name in a file, a number.
fn number(path: &str, name: &'static str, at: usize) -> Result<f64, Error> {
    let text = fs::read_to_string(path).map_err(Error::ebpf)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().nth(at)?.parse().ok()).ok_or(Error::Missing(name))
}
