//! Flow tables: what a packet costs with many flows, and how much memory they take, beside netfilter's conntrack.

use std::{fs, os::fd::{AsFd, AsRawFd}};

use aya::maps::loaded_maps;
use srv6_dp::model::Vrf;
use srv6_types::maps::{FlowEntry, FlowKey};

use super::{
    DataplaneBenchError as Error, Options,
    contest::{self, Subject},
    device::{Device, Ends},
    generator::Generator,
    services::{self, TABLE, services_of},
    sites::{self, Family, client, flows, forth, server, vip},
};
use crate::folder::Folder;

const SIZES: [usize; 2] = [1, 100_000];

/// What a device does with the flows.
#[derive(Clone, Copy)]
enum Task {
    Forward,
    Balance(Family),
}

/// Makes a device that does it.
type Become = fn(&mut Device, &Folder, Task) -> Result<(), Error>;
const WAYS: [(&str, Task, Become); 6] = [
    ("sixedge, one service", Task::Balance(Family::V4), sixedge),
    ("nft, one service", Task::Balance(Family::V4), kernel),
    ("sixedge, one service, IPv6", Task::Balance(Family::V6), sixedge),
    ("nft, one service, IPv6", Task::Balance(Family::V6), kernel),
    ("sixedge, forwarding", Task::Forward, sixedge),
    ("kernel, forwarding", Task::Forward, kernel),
];

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    let ends = Ends::new()?;
    let (mut devices, mut generators) = (Vec::new(), Vec::new());
    for (way, (_, task, become_it)) in WAYS.iter().enumerate() {
        for (at, size) in SIZES.iter().enumerate() {
            let mut device = Device::new(&ends, way * SIZES.len() + at)?;
            become_it(&mut device, folder, *task)?;
            let traffic = traffic(*task, *size)?;
            let before = unreclaimable()?;
            device.send(&ends, &traffic, *size as u32)?;
            if matches!((way, at), (1, 1)) {
                let octets = (unreclaimable()? - before) / SIZES[1] as f64;
                println!("\nMemory: netfilter {octets:.0} octets for a flow, as the kernel's slabs grew");
            }
            devices.push(device);
            generators.push(traffic);
        }
    }
    println!("Memory: sixedge {:.0} octets for each of {TABLE} entries, allocated at once", entry_size()?);
    let names = WAYS.iter().flat_map(|(way, ..)| SIZES.map(|size| format!("{way}, {size} flows")));
    let pairs = devices.iter().zip(&generators);
    let subjects =
        names.zip(pairs).map(|(name, (device, traffic))| Subject { name, device, traffic, forgets: false });
    let samples = contest::measure(&ends, &subjects.collect::<Vec<_>>(), options)?;
    println!("\nEstablished flows, CPU per packet by number of flows, {} rounds\n", options.rounds);
    println!("{}", contest::grid(&WAYS.map(|(name, ..)| name), &SIZES, &samples));
    Ok(())
}

fn traffic(task: Task, size: usize) -> Result<Generator, Error> {
    let flows = match task {
        Task::Forward => flows(size, |n| client(Family::V4, n), |_| server(Family::V4, 0)),
        Task::Balance(family) => flows(size, |n| client(family, n), |_| vip(family, 0)),
    };
    forth(&flows)
}

fn sixedge(device: &mut Device, folder: &Folder, task: Task) -> Result<(), Error> {
    match task {
        Task::Forward => device.provider_edge(folder, |state, interfaces| {
            sites::sixedge(state, interfaces, Vrf::default());
        }),
        Task::Balance(family) => services::sixedge(device, folder, &services_of(family, 1)),
    }
}

fn kernel(device: &mut Device, folder: &Folder, task: Task) -> Result<(), Error> {
    match task {
        Task::Forward => sites::kernel(device),
        Task::Balance(family) => services::nft_map(device, folder, &services_of(family, 1)),
    }
}

/// Octets of the kernel's memory that is neither cache nor pages of a process.
fn unreclaimable() -> Result<f64, Error> {
    number("/proc/meminfo", "SUnreclaim:").map(|kilobytes| kilobytes * 1024.0)
}

/// Octets of memory for an entry of a flow table of ours.
fn entry_size() -> Result<f64, Error> {
    let (key, value) = (size_of::<FlowKey>() as u32, size_of::<FlowEntry>() as u32);
    let table = loaded_maps()
        .filter_map(Result::ok)
        .find(|map| (map.key_size(), map.value_size(), map.max_entries()) == (key, value, TABLE))
        .ok_or(Error::Missing("a flow table"))?;
    let map = table.fd().map_err(Error::ebpf)?;
    let path = format!("/proc/self/fdinfo/{}", map.as_fd().as_raw_fd());
    Ok(number(&path, "memlock:")? / f64::from(TABLE))
}

/// The number behind a name in a file.
fn number(path: &str, name: &'static str) -> Result<f64, Error> {
    let text = fs::read_to_string(path).map_err(Error::ebpf)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).ok_or(Error::Missing(name))
}
