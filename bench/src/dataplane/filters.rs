//! Filters: what a packet costs with 1 to 10,000 rules, beside netfilter's chains and sets.

use srv6_dp::model::{Action, Direction, Filter, FilterId, Rule, Transport, Vrf};

use super::{
    DataplaneBenchError as Error, Options,
    contest::{self, Subject},
    device::{Device, Ends},
    frames::Flow,
    netfilter::{self, lines},
    services::TABLE,
    sites::{self, Family, back, client, flows, forth, server},
    subjects::ipnet,
};
use crate::folder::Folder;

const SIZES: [usize; 5] = [1, 10, 100, 1_000, 10_000];
const ESTABLISHED: usize = 10_000;
const NEW: usize = 400_000;
const FILTER: FilterId = FilterId(1);

/// Makes a device that lets packets to so many servers through and nothing else.
type Become = fn(&mut Device, &Folder, usize) -> Result<(), Error>;
const WAYS: [(&str, Become); 3] =
    [("sixedge", sixedge), ("nft, one set", nft_set), ("nft, a rule for each", nft_chain)];

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    let ends = Ends::new()?;
    let mut devices = Vec::new();
    for (way, (_, become_it)) in WAYS.iter().enumerate() {
        for (at, size) in SIZES.iter().enumerate() {
            let mut device = Device::new(&ends, way * SIZES.len() + at)?;
            become_it(&mut device, folder, *size)?;
            devices.push(device);
        }
    }
    let few = &Options { packets: options.packets / 10, ..options.clone() };
    for (title, first, count, options) in [
        ("Established flows", 0, ESTABLISHED, options),
        ("New flows: each packet is one", ESTABLISHED, NEW, few),
    ] {
        let sets = SIZES.map(|size| allowed(first, count, size));
        let traffic = sets.iter().map(|flows| forth(flows)).collect::<Result<Vec<_>, _>>()?;
        let forgets = count == NEW;
        if !forgets {
            establish(&ends, &devices, &sets)?;
        }
        let names = WAYS.iter().flat_map(|(way, _)| SIZES.map(|size| format!("{way}, {size} rules")));
        let pairs = devices.iter().zip(traffic.iter().cycle());
        let subjects =
            names.zip(pairs).map(|(name, (device, traffic))| Subject { name, device, traffic, forgets });
        let samples = contest::measure(&ends, &subjects.collect::<Vec<_>>(), options)?;
        println!("\n{title}, CPU per packet by number of rules, {} rounds\n", options.rounds);
        println!("{}", contest::grid(&WAYS.map(|(name, _)| name), &SIZES, &samples));
    }
    Ok(())
}

/// Flows to so many servers in turn.
fn allowed(first: usize, count: usize, size: usize) -> Vec<Flow> {
    flows(count, |n| client(Family::V4, first + n), |n| server(Family::V4, n % size))
}

/// Netfilter takes a flow for established that was answered.
fn establish(ends: &Ends, devices: &[Device], sets: &[Vec<Flow>]) -> Result<(), Error> {
    for (device, flows) in devices.iter().zip(sets.iter().cycle()) {
        device.send(ends, &forth(flows)?, flows.len() as u32)?;
        device.send(ends, &back(flows)?, flows.len() as u32)?;
    }
    Ok(())
}

fn sixedge(device: &mut Device, folder: &Folder, size: usize) -> Result<(), Error> {
    device.provider_edge(folder, |state, interfaces| {
        sites::sixedge(state, interfaces, Vrf { flows: Some(TABLE), ..Vrf::default() });
        let udp = Some(Transport::Udp.number());
        let accept = |n| {
            let (address, port) = (server(Family::V4, n).ip(), server(Family::V4, n).port());
            let (prefix, ports) = (ipnet(address, 32), Some((port, port)));
            let name = format!("server-{n}");
            Rule { name, direction: Direction::In, prefix, protocol: udp, ports, action: Action::Accept }
        };
        let prefix = sites::servers(Family::V4);
        let drop = Rule { name: "rest".to_owned(), prefix, ports: None, action: Action::Drop, ..accept(0) };
        let rules = (0..size).map(accept).chain([drop]).collect();
        state.filters.insert(FILTER, Filter { rules });
        if let Some(circuit) = state.circuits.get_mut(&interfaces.inward) {
            circuit.filter = Some(FILTER);
        }
    })
}

fn nft_set(device: &mut Device, folder: &Folder, size: usize) -> Result<(), Error> {
    let entry = |n| format!("{} . {},", server(Family::V4, n).ip(), server(Family::V4, n).port());
    let set = format!(
        "set servers {{ type ipv4_addr . inet_service; elements = {{ {} }}; }}",
        lines(0..size, entry)
    );
    nft(device, folder, &set, "ip daddr . udp dport @servers accept")
}

fn nft_chain(device: &mut Device, folder: &Folder, size: usize) -> Result<(), Error> {
    let rule = |n| {
        let server = server(Family::V4, n);
        format!("ip daddr {} udp dport {} accept", server.ip(), server.port())
    };
    nft(device, folder, "", &lines(0..size, rule))
}

fn nft(device: &Device, folder: &Folder, sets: &str, rules: &str) -> Result<(), Error> {
    sites::kernel(device)?;
    let rules = format!(
        "table ip filters {{
           {sets}
           chain forward {{
             type filter hook forward priority filter
             ct state established,related accept
             {rules}
             iifname in0 ip daddr {} drop
           }}
         }}",
        sites::servers(Family::V4)
    );
    netfilter::nft(device, folder, &rules)
}
