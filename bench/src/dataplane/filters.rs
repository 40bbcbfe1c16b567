//! Filters: what a packet costs with 1 to 10,000 rules, beside netfilter's chains and sets.

use srv6_dp::model::{Action, Direction, Filter, FilterId, Rule, Transport, Vrf};

use super::{
    DataplaneBenchError as Error, Options,
    contest::History,
    device::Device,
    frames::Flow,
    grid::{Grid, Way},
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

/// Packets to so many servers get through, and nothing else.
const WAYS: [Way; 3] = [("sixedge", sixedge), ("nft, one set", nft_set), ("nft, a rule for each", nft_chain)];

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    let grid = Grid::new(&WAYS, &SIZES, "rules", folder)?;
    let flows = SIZES.map(|size| allowed(0, ESTABLISHED, size));
    let questions = flows.iter().map(|flows| forth(flows)).collect::<Result<Vec<_>, _>>()?;
    // Netfilter takes a flow for established that was answered.
    let answers = flows.iter().map(|flows| back(flows)).collect::<Result<Vec<_>, _>>()?;
    let pairs = questions.iter().zip(&answers);
    let again: Vec<_> =
        pairs.map(|(question, answer)| (question, History::Only(vec![question, answer]))).collect();
    grid.contest("Established flows", &again, options)?;
    let flows = SIZES.map(|size| forth(&allowed(ESTABLISHED, NEW, size)));
    let new = flows.into_iter().collect::<Result<Vec<_>, _>>()?;
    let anew: Vec<_> = new.iter().map(|flows| (flows, History::Only(Vec::new()))).collect();
    grid.contest("New flows, each packet is one", &anew, &options.fewer())?;
    Ok(())
}

/// Flows to so many servers in turn.
fn allowed(first: usize, count: usize, size: usize) -> Vec<Flow> {
    flows(count, |n| client(Family::V4, first + n), |n| server(Family::V4, n % size))
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
