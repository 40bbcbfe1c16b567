//! Many routes in one VRF: how long they take to load, and what a packet to a random one of them costs.

use std::{
    fmt::Write,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use ipnet::IpNet;
use srv6_dp::{Change, Dataplane};

use super::{
    DataplaneBenchError as Error, Options,
    contest::{self, History, Subject},
    device::{Device, Ends},
    frames::Traffic,
    generator::{self, Generator},
    subjects::{VRF, encapsulate, towards_core},
    tables,
};
use crate::folder::Folder;

/// Tables: a name and the prefixes.
fn tables() -> Vec<(&'static str, Vec<IpNet>)> {
    vec![
        ("1 IPv4 route", tables::ipv4(1)),
        ("100k IPv4 routes", tables::ipv4(100_000)),
        ("500k IPv4 routes", tables::ipv4(500_000)),
        ("1 IPv6 route", tables::ipv6(1)),
        ("100k IPv6 routes", tables::ipv6(100_000)),
    ]
}

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    let (tables, ends) = (tables(), Ends::new()?);
    let generators = tables.iter().map(|(_, table)| traffic_to(table)).collect::<Result<Vec<_>, _>>()?;
    let mut devices = Vec::new();
    println!("\nBulk load of random prefixes in random order, all to one SRv6 next hop\n");
    for (number, ((name, table), traffic)) in tables.iter().zip(&generators).enumerate() {
        let device = Device::new(&ends, 2 * number)?;
        load_kernel(&device, table, folder)?;
        devices.push((format!("{name}, kernel encap.red"), device, traffic));
        let (device, took) = load_ours(&ends, 2 * number + 1, table, folder)?;
        if table.len() > 1 {
            let rate = table.len() as f64 / took.cpu.as_secs_f64();
            println!(
                "{name}: {:.2} s, {:.2} s CPU, {rate:.0} routes per second of CPU",
                took.wall.as_secs_f64(),
                took.cpu.as_secs_f64()
            );
        }
        devices.push((format!("{name}, sixedge"), device, traffic));
    }
    let subjects = devices.iter().map(|(name, device, traffic)| Subject {
        name: name.clone(),
        device,
        traffic,
        history: History::Whatever,
    });
    let subjects: Vec<_> = subjects.collect();
    println!("\nCPU per packet, one core, random destinations, {} rounds\n", options.rounds);
    let samples = contest::measure(&ends, &subjects, options)?;
    let base: Vec<_> = (0..subjects.len()).map(|number| number / 2 * 2).collect();
    println!("{}", contest::table(&subjects, &samples, &base, "the kernel with the same table"));
    Ok(())
}

fn traffic_to(table: &[IpNet]) -> Result<Generator, Error> {
    let traffic = match table {
        [IpNet::V4(_), ..] => Traffic::ipv4(&tables::destinations4(table)),
        _ => Traffic::ipv6(&tables::destinations6(table)),
    };
    Generator::new(&traffic)
}

/// How long a table took to load.
struct Took {
    wall: Duration,
    cpu: Duration,
}

fn load_ours(ends: &Ends, number: usize, table: &[IpNet], folder: &Folder) -> Result<(Device, Took), Error> {
    let mut device = Device::new(ends, number)?;
    device.provider_edge(folder, towards_core)?;
    let changes: Vec<_> = table.iter().map(|prefix| Change::SetRoute(VRF, *prefix, encapsulate())).collect();
    let dataplane = device.dataplane().ok_or(Error::Missing("the dataplane"))?;
    let (start, cpu) = (Instant::now(), generator::thread_time()?);
    dataplane.apply_all(&changes).map_err(Error::ebpf)?;
    let took = Took { wall: start.elapsed(), cpu: generator::thread_time()?.saturating_sub(cpu) };
    Ok((device, took))
}

/// IPv4 routes with the same encapsulation share their next hop by themselves, IPv6 routes by a next-hop object.
fn load_kernel(device: &Device, table: &[IpNet], folder: &Folder) -> Result<(), Error> {
    let encap = "encap seg6 mode encap.red segs fc00:0:2:46:: dev out0";
    device.namespace.run(&format!("ip -6 nexthop add id 6 {encap}"))?;
    let mut lines = String::new();
    for prefix in table {
        let leads = if matches!(prefix, IpNet::V4(_)) { encap } else { "nhid 6" };
        let _infallible = writeln!(lines, "route add {prefix} {leads}");
    }
    let file: PathBuf = folder.file("routes");
    fs::write(&file, lines).map_err(Error::ebpf)?;
    device.namespace.run(&format!("ip -batch {}", file.display()))?;
    Ok(())
}
