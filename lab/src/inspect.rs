//! What is up: nodes, their state, interfaces and addresses.
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::process::Process;
use crate::state::{NodeState, State};
use crate::{LabError, links, main_program};

/// One node of a lab that is up.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeReport {
    /// Name in the lab.
    pub name: String,
    /// Name of its network namespace, as containerlab would name the container.
    pub container: String,
    /// Kind in the topology.
    pub kind: String,
    /// Image in the topology.
    pub image: String,
    /// `running` or `dead`.
    pub state: &'static str,
    /// The node's first process, as the machine numbers it.
    pub pid: Option<u32>,
    /// Running main programs.
    pub main: Vec<ProgramReport>,
    /// How the main program ended, if it does not run.
    pub main_ended: Option<String>,
    /// Interfaces without loopback's own addresses.
    pub interfaces: Vec<InterfaceReport>,
}

/// A program of a node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgramReport {
    /// Its name.
    pub name: String,
    /// As the machine numbers it.
    pub pid: u32,
}

/// An interface of a node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InterfaceReport {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub mtu: u32,
    /// `UP`, `DOWN`, `UNKNOWN`, ... as the kernel says.
    pub state: String,
    /// `address/length`, link-local ones left out.
    pub addresses: Vec<String>,
}

pub(crate) fn report(state: &State) -> Result<Vec<NodeReport>, LabError> {
    state.nodes.iter().map(|node| node_report(state, node)).collect()
}

fn node_report(state: &State, node: &NodeState) -> Result<NodeReport, LabError> {
    let init = Process::read(&state.node_dir(&node.name)).filter(|init| init.alive());
    let main = main_program::processes(state, &node.name)?;
    Ok(NodeReport {
        name: node.name.clone(),
        container: node.namespace.clone(),
        kind: node.kind.clone(),
        image: node.image.clone(),
        state: if init.is_some() { "running" } else { "dead" },
        pid: init.map(|init| init.pid),
        main: main.into_iter().map(|(name, process)| ProgramReport { name, pid: process.pid }).collect(),
        main_ended: main_program::ending(state, &node.name),
        interfaces: if init.is_some() { interfaces(&node.namespace)? } else { Vec::new() },
    })
}

/// The part of `ip -json address` that is shown.
#[derive(Deserialize)]
struct IpLink {
    ifname: String,
    mtu: u32,
    operstate: String,
    addr_info: Vec<IpAddress>,
}

#[derive(Deserialize)]
struct IpAddress {
    local: String,
    prefixlen: u8,
    scope: String,
}

fn interfaces(namespace: &str) -> Result<Vec<InterfaceReport>, LabError> {
    let what = format!("listing the interfaces of {namespace}");
    let json = links::output(Command::new("ip").args(["-n", namespace, "-json", "address", "show"]), &what)?;
    let links: Vec<IpLink> = serde_json::from_slice(&json).map_err(|error| LabError::Command {
        what,
        outcome: error.to_string(),
        output: String::new(),
    })?;
    Ok(links
        .into_iter()
        .map(interface)
        .filter(|link| link.name != "lo" || !link.addresses.is_empty())
        .collect())
}

fn interface(link: IpLink) -> InterfaceReport {
    let shown = |address: &IpAddress| !["link", "host"].contains(&address.scope.as_str());
    let addresses = link.addr_info.iter().filter(|address| shown(address));
    InterfaceReport {
        addresses: addresses.map(|address| format!("{}/{}", address.local, address.prefixlen)).collect(),
        name: link.ifname,
        mtu: link.mtu,
        state: link.operstate,
    }
}
