//! Brings a lab up: all nodes, then all links, then main programs, then `exec`, as containerlab orders them.
//! Whatever goes wrong, what was made is taken away again.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::image::{Image, Program};
use crate::node::{NodeSpec, enter};
use crate::process::Process;
use crate::progress::Progress;
use crate::state::{NodeState, State};
use crate::topology::{Exec, Node, Topology};
use crate::{LabError, binary, down, links, main_program};

/// How a lab is brought up.
#[derive(Debug, Default)]
pub struct UpOptions {
    /// In place of the name in the file, so that one file can be up several times.
    pub name: Option<String>,
    /// End the lab when this process is gone: the next `up` takes it down first.
    pub(crate) owned: bool,
}

impl UpOptions {
    /// Under another name than the file's, if one is given.
    pub fn named(name: Option<String>) -> Self {
        Self { name, owned: false }
    }
}

pub(crate) fn up(file: &Path, options: UpOptions, progress: &Progress) -> Result<State, LabError> {
    let mut topology = Topology::read(file)?;
    if let Some(name) = options.name {
        topology.rename(name)?;
    }
    topology.warnings.iter().for_each(|warning| progress.warn(warning));
    let images = images(&topology, progress)?;
    let owner = options.owned.then(Process::this).transpose()?;
    let state = plan(&topology, &images, owner);
    clear_stale(&state.lab, progress)?;
    state.claim()?;
    build(&topology, &images, &state, progress).inspect_err(|_| {
        progress.step("removing what was made");
        if let Err(error) = down::down(&state, &Progress::silent()) {
            progress.warn(&format!("clean-up is not complete: {error}"));
        }
    })?;
    Ok(state)
}

fn images(topology: &Topology, progress: &Progress) -> Result<Vec<Image>, LabError> {
    let prepare = |node: &Node| {
        let place = || format!("{}: node {}", topology.path.display(), node.name);
        let program =
            Program::of(&node.image).map_err(|problem| LabError::Topology { place: place(), problem })?;
        program.prepare(node.cmd.as_deref(), progress)
    };
    topology.nodes.values().map(prepare).collect()
}

fn plan(topology: &Topology, images: &[Image], owner: Option<Process>) -> State {
    let node = |(node, image): (&Node, &Image)| NodeState {
        name: node.name.clone(),
        kind: node.kind.clone(),
        image: node.image.clone(),
        namespace: topology.container_name(&node.name),
        has_main: image.main.is_some(),
    };
    let nodes = topology.nodes.values().zip(images).map(node).collect();
    State { lab: topology.name.clone(), topology: topology.path.clone(), owner, nodes }
}

fn clear_stale(lab: &str, progress: &Progress) -> Result<(), LabError> {
    match State::read(&crate::state::lab_dir(lab)).filter(State::stale) {
        Some(stale) => down::down(&stale, progress),
        None => Ok(()),
    }
}

fn build(topology: &Topology, images: &[Image], state: &State, progress: &Progress) -> Result<(), LabError> {
    let lab = binary::lab()?;
    for ((node, image), planned) in topology.nodes.values().zip(images).zip(&state.nodes) {
        progress.check()?;
        progress.step(&format!("node {} ({})", node.name, node.image));
        create_node(&lab, node, image, planned, &state.node_dir(&node.name))?;
    }
    for link in &topology.links {
        progress.check()?;
        progress.step(&format!("{}, mtu {}", links::describe(&link.ends), link.mtu));
        links::create(&link.ends, link.mtu, |node| topology.container_name(node))?;
    }
    for node in state.nodes.iter().filter(|node| node.has_main) {
        progress.check()?;
        progress.step(&format!("starting {}", node.name));
        main_program::start(state, &node.name, progress)?;
    }
    for node in topology.nodes.values().filter(|node| !node.exec.is_empty()) {
        progress.step(&format!("exec in {} ({} commands)", node.name, node.exec.len()));
        let dir = state.node_dir(&node.name);
        node.exec.iter().try_for_each(|exec| run_exec(&lab, &dir, node, exec, progress))?;
    }
    report_ended(state, progress);
    progress.check()
}

fn create_node(
    lab: &PathBuf,
    node: &Node,
    image: &Image,
    planned: &NodeState,
    dir: &Path,
) -> Result<(), LabError> {
    fs::create_dir_all(dir).map_err(LabError::io("create", dir))?;
    let spec = NodeSpec {
        hostname: node.name.clone(),
        root: image.root.clone(),
        binds: [image.binds.clone(), node.binds.clone()].concat(),
        env: node.env.clone(),
        sysctls: node.sysctls.clone(),
        main: image.main.clone(),
    };
    spec.write(dir)?;
    // Ends when the node's init has closed its standard error: the node is then ready, or said why not.
    let output =
        Command::new(lab).arg("internal-node").arg(dir).output().map_err(LabError::io("run", lab))?;
    let problem = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let init =
        Process::read(dir).filter(|init| output.status.success() && problem.is_empty() && init.alive());
    let init = init.ok_or_else(|| LabError::Main { node: node.name.clone(), problem })?;
    links::name_namespace(&planned.namespace, init.pid)
}

fn run_exec(lab: &Path, dir: &Path, node: &Node, exec: &Exec, progress: &Progress) -> Result<(), LabError> {
    let output = progress.interruptible(&mut enter::command(lab, dir, &exec.words))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(LabError::Command {
            what: format!("{}: exec {:?} in node {}", exec.place, exec.words.join(" "), node.name),
            outcome: output.status.to_string(),
            output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        }),
    }
}

/// A main program that ended by itself is the user's to judge, as in containerlab, but not in silence.
fn report_ended(state: &State, progress: &Progress) {
    for node in state.nodes.iter().filter(|node| node.has_main) {
        if let Some(ending) = main_program::ending(state, &node.name) {
            progress.warn(&format!("{}: {ending}; see lab logs", node.name));
        }
    }
}
