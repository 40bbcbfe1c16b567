//! Egress addresses: what a packet to the outside costs, and a new mapping, beside netfilter's source NAT.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

use srv6_dp::model::{EgressAddress, EgressPolicy, NextHop, Vrf};

use super::{
    DataplaneBenchError as Error, Options,
    contest::{self, History, Subject},
    device::{Device, Ends},
    frames::Flow,
    generator::Generator,
    grid::Way,
    netfilter,
    sites::{self, Family, flows, forth, host_of, server},
    subjects::{VRF, ipnet},
};
use crate::folder::Folder;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
/// Hosts that share the address, each with a block of ports of its own.
const HOSTS: usize = 500;
const BLOCK: u16 = 128;
/// Mappings that are there already.
const ESTABLISHED: usize = 10_000;
/// What is remembered where mappings are new: a quarter of what would fill the blocks, so that each is new again.
const SMALL_TABLE: usize = HOSTS * BLOCK as usize / 2;

/// The size is that of our flow table.
const WAYS: [Way; 4] = [
    ("sixedge", sixedge),
    ("nft snat", |device, folder, _| source_nat(device, folder, "snat to 192.0.2.7")),
    ("nft masquerade", |device, folder, _| source_nat(device, folder, "masquerade")),
    ("kernel, forwarding", |device, _, _| sites::kernel(device)),
];

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    let (there, new) = (outbound(ESTABLISHED)?, outbound(HOSTS * usize::from(BLOCK))?);
    contest("Established mappings", &there, 4 * SMALL_TABLE, vec![&there], options, folder)?;
    contest("New mappings, each packet is one", &new, SMALL_TABLE, Vec::new(), &options.fewer(), folder)
}

fn contest(
    title: &str,
    traffic: &Generator,
    table: usize,
    before: Vec<&Generator>,
    options: &Options,
    folder: &Folder,
) -> Result<(), Error> {
    let (ends, mut devices) = (Ends::new()?, Vec::new());
    for (number, (_, become_it)) in WAYS.iter().enumerate() {
        let mut device = Device::new(&ends, number)?;
        become_it(&mut device, folder, table)?;
        devices.push(device);
    }
    let subjects = WAYS.iter().zip(&devices).map(|((name, _), device)| Subject {
        name: (*name).to_owned(),
        device,
        traffic,
        history: History::Only(before.clone()),
    });
    let subjects: Vec<_> = subjects.collect();
    let samples = contest::measure(&ends, &subjects, options)?;
    println!("\n{title}: CPU per packet, {} rounds\n", options.rounds);
    println!("{}", contest::table(&subjects, &samples, &[0; WAYS.len()], "sixedge"));
    Ok(())
}

/// Host after host, then with the next port.
fn outbound(count: usize) -> Result<Generator, Error> {
    let source = |n: usize| host_of(Family::V4, n % HOSTS, n / HOSTS);
    let flows: Vec<Flow> = flows(count, source, |n| server(Family::V4, n % 100));
    forth(&flows)
}

fn sixedge(device: &mut Device, folder: &Folder, table: usize) -> Result<(), Error> {
    device.provider_edge(folder, |state, interfaces| {
        let vrf = Vrf { flows: Some(table as u32), egress: true, ..Vrf::default() };
        sites::sixedge(state, interfaces, vrf);
        let ports = EgressAddress { first_port: 1024, block_size: BLOCK, blocks: (u16::MAX - 1023) / BLOCK };
        state.egress_addresses.insert((VRF, ADDRESS), ports);
        state.routes.insert((VRF, ipnet(ADDRESS, 32)), NextHop::Egress);
        let everywhere = ipnet(Ipv4Addr::UNSPECIFIED.into(), 0);
        let policy = EgressPolicy {
            sources: BTreeSet::from([sites::clients(Family::V4)]),
            destinations: BTreeSet::from([everywhere]),
            addresses: vec![ADDRESS],
            ..EgressPolicy::default()
        };
        state.egress_policies.insert((VRF, "internet".to_owned()), policy);
    })
}

fn source_nat(device: &mut Device, folder: &Folder, action: &str) -> Result<(), Error> {
    sites::kernel(device)?;
    let clients = sites::clients(Family::V4);
    let rules = format!(
        "table ip egress {{
           chain postrouting {{
             type nat hook postrouting priority srcnat
             ip saddr {clients} oifname out0 {action}
           }}
         }}"
    );
    netfilter::nft(device, folder, &rules)
}
