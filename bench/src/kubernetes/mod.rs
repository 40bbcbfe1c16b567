//! How long a node takes from the whole world to its intent and its plan, and what memory that is: no API server, no kernel.

mod cluster;

use std::{error::Error, time::Instant};

use comfy_table::{Table, presets::ASCII_MARKDOWN};
use k8s_sync::render::{Inputs, Rendered, render};
use srv6_dp::model::IfIndex;
use vrf_manager::{
    Allocations, Links,
    intent::{Intent, Vrf},
    plan,
    plan::Link,
};

use crate::{
    load::process::{peak_kilobytes, resident_kilobytes},
    statistics::{median, minimum},
};
use cluster::Cluster;

/// How much there is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Vrf objects; namespaces are dealt out to them.
    #[arg(long, default_value_t = 200)]
    vrfs: usize,
    /// Namespaces.
    #[arg(long, default_value_t = 400)]
    namespaces: usize,
    /// Pods, of both families.
    #[arg(long, default_value_t = 5000)]
    pods: usize,
    /// Pods of a node.
    #[arg(long, default_value_t = 110)]
    pods_per_node: usize,
    /// Services, of five endpoints each where the namespace has as many pods.
    #[arg(long, default_value_t = 1000)]
    services: usize,
    /// NetworkPolicies.
    #[arg(long, default_value_t = 500)]
    policies: usize,
    /// EgressPolicies.
    #[arg(long, default_value_t = 50)]
    egress: usize,
    /// How often it is measured.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
}

/// What one round took, in milliseconds.
struct Round {
    render: f64,
    plan: f64,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let resident = || resident_kilobytes(std::process::id()).unwrap_or_default() as f64 / 1000.0;
    let bare = resident();
    let cluster = Cluster::new(options)?;
    let with_world = resident();
    let mut rounds = Vec::new();
    for _ in 0..options.rounds.max(1) {
        rounds.push(round(&cluster)?.0);
    }
    let (_, intent) = round(&cluster)?;
    println!(
        "\nPods: {}, nodes: {}, Services: {}, VRFs: {}, NetworkPolicies: {}, EgressPolicies: {}; {}\n",
        options.pods,
        cluster.world.nodes.len(),
        options.services,
        options.vrfs,
        options.policies,
        options.egress,
        contents(&intent)
    );
    println!("{}", table(&rounds));
    let peak = peak_kilobytes(std::process::id()).unwrap_or_default() as f64 / 1000.0;
    println!(
        "\nMemory, MB: {bare:.0} before, {with_world:.0} with the world, {:.0} with the intent as well, {peak:.0} at most",
        resident()
    );
    Ok(())
}

fn round(cluster: &Cluster) -> Result<(Round, Intent), Box<dyn Error>> {
    let inputs = Inputs { node: "node-0", world: &cluster.world, attachments: &cluster.attachments };
    let started = Instant::now();
    let Rendered { intent, problems } = render(&inputs);
    let render = started.elapsed();
    if let Some(problem) = problems.first() {
        return Err(format!("the world of the benchmark has {} problems: {problem}", problems.len()).into());
    }
    let intent = intent.map_err(|problem| problem.to_string())?;
    let links = links(&intent);
    let started = Instant::now();
    let mut allocations = Allocations::default();
    allocations.settle(&intent);
    let desired = plan(&intent, &links, &allocations);
    let plan = started.elapsed();
    if let Some(problem) = desired.problems.first() {
        return Err(format!("the plan has {} problems: {problem}", desired.problems.len()).into());
    }
    Ok((Round { render: render.as_secs_f64() * 1e3, plan: plan.as_secs_f64() * 1e3 }, intent))
}

/// Every interface is there and up.
fn links(intent: &Intent) -> Links {
    let circuits = intent.vrfs.iter().flat_map(|vrf| &vrf.circuits).map(|circuit| &circuit.interface);
    let names = circuits.chain(&intent.srv6.core_interfaces);
    let link = |(index, name): (u32, &String)| {
        let mac = [2, 0, 0, 0, 0, 1];
        (name.clone(), Link { index: IfIndex(index), mac, mtu: 1500, up: true, bridge_port: false })
    };
    (1..).zip(names).map(link).collect()
}

fn contents(intent: &Intent) -> String {
    let count = |of: fn(&Vrf) -> usize| intent.vrfs.iter().map(of).sum::<usize>();
    format!(
        "the node has {} circuits of pods, {} services with {} backends, {} filter rules, {} egress policies",
        count(|vrf| vrf.circuits.len()),
        count(|vrf| vrf.services.len()),
        count(|vrf| vrf.services.iter().map(|service| service.backends.len()).sum()),
        count(|vrf| vrf.circuits.iter().map(|circuit| circuit.filter.len()).sum()),
        count(|vrf| vrf.egress.len()),
    )
}

fn table(rounds: &[Round]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["step", "ms, least", "ms, median"]);
    let of = |of: fn(&Round) -> f64| rounds.iter().map(of).collect::<Vec<_>>();
    for (step, values) in [
        ("world to intent, with its check", of(|round| round.render)),
        ("intent to plan", of(|round| round.plan)),
    ] {
        table.add_row([
            step.to_owned(),
            format!("{:.1}", minimum(&values)),
            format!("{:.1}", median(&values)),
        ]);
    }
    table
}
