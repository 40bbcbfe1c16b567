//! Services: what a packet to a VIP costs, with 1 to 10,000 of them, beside netfilter's DNAT.

use std::collections::BTreeMap;

use srv6_dp::{
    State,
    model::{Backend, NextHop, Reach, Service, ServiceId, Transport, Vrf},
};

use super::{
    DataplaneBenchError as Error, Options,
    contest::History,
    device::{Device, Interfaces},
    frames::Flow,
    generator::Generator,
    grid::{Grid, Way},
    netfilter::{self, lines},
    sites::{self, Family, back, client, flows, forth, server, vip},
    subjects::{VRF, ipnet},
};
use crate::{folder::Folder, statistics::median};

const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];
/// Flows that are there already, whatever the number of services.
const ESTABLISHED: usize = 10_000;
/// New flows, over and over: many more than what is remembered, so that each is new again.
const NEW: usize = 400_000;
/// What is remembered: as much as netfilter does by default. Each flow takes two entries, there as well.
pub(crate) const TABLE: u32 = 262_144;

const WAYS: [Way; 4] = [
    ("sixedge", |device, folder, size| sixedge(device, folder, &services(Family::V4, size))),
    ("nft, one map", |device, folder, size| nft_map(device, folder, &services(Family::V4, size))),
    ("nft, a rule for each", nft_chain),
    ("iptables, a rule for each", iptables),
];

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    let grid = Grid::new(&WAYS, &SIZES, "services", folder)?;
    let (there, answers, new) = (of_each(established)?, of_each(answers)?, of_each(new)?);
    let again: Vec<_> = there.iter().map(|flows| (flows, History::Only(vec![flows]))).collect();
    grid.contest("Established flows, to the service", &again, options)?;
    let back: Vec<_> =
        answers.iter().zip(&again).map(|(answers, (_, there))| (answers, there.clone())).collect();
    grid.contest("Established flows, the answers", &back, options)?;
    let anew: Vec<_> = new.iter().map(|flows| (flows, History::Only(Vec::new()))).collect();
    let samples = grid.contest("New flows, each packet is one", &anew, &options.fewer())?;
    println!("\nNew flows per second of one core, at one service\n");
    for ((name, _), samples) in WAYS.iter().zip(samples.iter().step_by(SIZES.len())) {
        println!("{name}: {:.0}", 1e9 / median(samples));
    }
    Ok(())
}

fn of_each(traffic: fn(usize) -> Result<Generator, Error>) -> Result<Vec<Generator>, Error> {
    SIZES.iter().map(|size| traffic(*size)).collect()
}

/// VIPs and, as the other end, their backends.
pub(crate) fn services(family: Family, size: usize) -> Vec<Flow> {
    flows(size, |n| vip(family, n), |n| server(family, n))
}

fn established(size: usize) -> Result<Generator, Error> {
    forth(&flows(ESTABLISHED, |n| client(Family::V4, n), |n| vip(Family::V4, n % size)))
}

fn answers(size: usize) -> Result<Generator, Error> {
    back(&flows(ESTABLISHED, |n| client(Family::V4, n), |n| server(Family::V4, n % size)))
}

fn new(size: usize) -> Result<Generator, Error> {
    forth(&flows(NEW, |n| client(Family::V4, ESTABLISHED + n), |n| vip(Family::V4, n % size)))
}

pub(crate) fn sixedge(device: &mut Device, folder: &Folder, services: &[Flow]) -> Result<(), Error> {
    device.provider_edge(folder, |state: &mut State, interfaces: Interfaces| {
        let vrf = Vrf { flows: Some(TABLE), services: true, ..Vrf::default() };
        sites::sixedge(state, interfaces, vrf);
        for Flow { source: vip, destination: server } in services {
            let address = vip.ip();
            let id = ServiceId { vrf: VRF, address, transport: Transport::Udp, port: vip.port() };
            let backend = Backend { weight: 1, reach: Reach::Here };
            let backends = BTreeMap::from([((server.ip(), server.port()), backend)]);
            state.services.insert(id, Service { backends, ..Service::default() });
            let host = ipnet(address, if vip.is_ipv4() { 32 } else { 128 });
            state.routes.insert((VRF, host), NextHop::Service);
        }
    })
}

/// One look-up for all. `nft` of the family in question.
pub(crate) fn nft_map(device: &mut Device, folder: &Folder, services: &[Flow]) -> Result<(), Error> {
    sites::kernel(device)?;
    let (ip, kind) = family(services);
    let entry = |Flow { source: vip, destination: server }: &Flow| {
        format!("{} . {} : {} . {},", vip.ip(), vip.port(), server.ip(), server.port())
    };
    let rules = format!(
        "table {ip} services {{
           map vips {{ type {kind} . inet_service : {kind} . inet_service; elements = {{ {} }}; }}
           chain prerouting {{
             type nat hook prerouting priority dstnat
             dnat {ip} to {ip} daddr . udp dport map @vips
           }}
         }}",
        lines(services, entry)
    );
    netfilter::nft(device, folder, &rules)
}

fn nft_chain(device: &mut Device, folder: &Folder, size: usize) -> Result<(), Error> {
    sites::kernel(device)?;
    let rule = |Flow { source: vip, destination: server }: &Flow| {
        format!("ip daddr {} udp dport {} dnat to {server}", vip.ip(), vip.port())
    };
    let rules = format!(
        "table ip services {{
           chain prerouting {{
             type nat hook prerouting priority dstnat
             {}
           }}
         }}",
        lines(&services(Family::V4, size), rule)
    );
    netfilter::nft(device, folder, &rules)
}

fn iptables(device: &mut Device, folder: &Folder, size: usize) -> Result<(), Error> {
    sites::kernel(device)?;
    let rule = |Flow { source: vip, destination: server }: &Flow| {
        let (address, port) = (vip.ip(), vip.port());
        format!("-A PREROUTING -d {address} -p udp --dport {port} -j DNAT --to-destination {server}")
    };
    netfilter::iptables(
        device,
        folder,
        &format!("*nat\n{}\nCOMMIT\n", lines(&services(Family::V4, size), rule)),
    )
}

/// What `nft` calls the family and its addresses.
fn family(services: &[Flow]) -> (&'static str, &'static str) {
    if services.iter().all(|service| service.source.is_ipv4()) {
        ("ip", "ipv4_addr")
    } else {
        ("ip6", "ipv6_addr")
    }
}
