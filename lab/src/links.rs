//! Network namespaces' names and the links between them, by iproute2.
use std::fs::File;
use std::process::Command;

use crate::LabError;
use crate::topology::{Endpoint, LinkEnds};

/// Runs a command that must succeed.
pub(crate) fn succeed(command: &mut Command, what: &str) -> Result<(), LabError> {
    output(command, what).map(drop)
}

/// Runs a command that must succeed; what it wrote to standard output.
pub(crate) fn output(command: &mut Command, what: &str) -> Result<Vec<u8>, LabError> {
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => LabError::Missing {
            program: command.get_program().to_string_lossy().into_owned(),
            remedy: "install it (the package iproute2 has ip)".into(),
        },
        _ => LabError::io("run", command.get_program().as_ref())(error),
    })?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(LabError::Command {
            what: what.to_owned(),
            outcome: output.status.to_string(),
            output: String::from_utf8_lossy(&output.stderr).into_owned(),
        }),
    }
}

fn ip(words: &[&str], what: &str) -> Result<(), LabError> {
    succeed(Command::new("ip").args(words), what)
}

/// Makes the namespace of a process visible to `ip netns`.
pub(crate) fn name_namespace(name: &str, pid: u32) -> Result<(), LabError> {
    // Two `ip netns` at once on a machine that has no /run/netns yet lose each other's names.
    let lock_path = crate::state::base().join(".lock");
    let lock = File::create(&lock_path).map_err(LabError::io("open", &lock_path))?;
    lock.lock().map_err(LabError::io("lock", &lock_path))?;
    ip(&["netns", "attach", name, &pid.to_string()], &format!("naming the network namespace {name}"))
}

/// Takes the name away; the namespace itself ends with its last process.
pub(crate) fn forget_namespace(name: &str) -> Result<(), LabError> {
    let path = std::path::Path::new("/run/netns").join(name);
    if !path.exists() {
        return Ok(());
    }
    ip(&["netns", "delete", name], &format!("removing the network namespace {name}"))
}

/// Makes a link with its ends in the namespaces that `namespace` gives for the nodes, and brings it up.
pub(crate) fn create(ends: &LinkEnds, mtu: u32, namespace: impl Fn(&str) -> String) -> Result<(), LabError> {
    let mtu = mtu.to_string();
    let what = describe(ends);
    let (first, second) = match ends {
        LinkEnds::Veth(a, b) => (a, Some(b)),
        LinkEnds::Dummy(a) => (a, None),
    };
    let netns = [namespace(&first.node), second.map(|end| namespace(&end.node)).unwrap_or_default()];
    // Born in its namespace under its own name, so the machine's names never clash.
    let mut words = vec!["link", "add", "name", &first.interface];
    words.extend(address(first));
    words.extend(["mtu", &mtu, "netns", &netns[0], "type"]);
    match second {
        None => words.push("dummy"),
        Some(second) => {
            words.extend(["veth", "peer", "name", &second.interface]);
            words.extend(address(second));
            words.extend(["mtu", &mtu, "netns", &netns[1]]);
        }
    }
    ip(&words, &what)?;
    for (end, netns) in [Some(first), second].into_iter().flatten().zip(&netns) {
        ip(&["-n", netns, "link", "set", &end.interface, "up"], &what)?;
    }
    Ok(())
}

fn address(end: &Endpoint) -> impl Iterator<Item = &str> {
    end.mac.iter().flat_map(|mac| ["address", mac.as_str()])
}

/// For people: `a:eth1 to b:eth1`.
pub(crate) fn describe(ends: &LinkEnds) -> String {
    let name = |end: &Endpoint| format!("{}:{}", end.node, end.interface);
    match ends {
        LinkEnds::Veth(a, b) => format!("link {} to {}", name(a), name(b)),
        LinkEnds::Dummy(a) => format!("dummy link {}", name(a)),
    }
}
