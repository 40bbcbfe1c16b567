//! The agent has what the manifests give it, and needs all of it.

use lab::wait_until;

use crate::{
    container::{Container, Machine, PATIENCE},
    kubectl::{at, find},
};

/// The VRF is programmed on its circuit: kernel parameters, programs, maps and routes are all in place.
fn serves(agent: &Container) -> bool {
    agent.ask("show vrf red").is_ok_and(|shown| shown.contains("eth2 (up)"))
}

#[test]
fn the_agent_works_in_the_container_of_the_manifests_and_without_any_of_its_capabilities_not() {
    let Some(machine) = Machine::start("caps") else { return };
    let controller = machine.run("sixedge-controller", |_| {});
    // /proc/sys of a container cannot be written.
    let agent = machine.run("sixedge-agent", |container| {
        container["volumeMounts"].as_array_mut().unwrap().retain(|mount| mount["name"] != "sysctls");
    });
    assert!(wait_until(PATIENCE, || agent.logs().contains("Read-only file system")), "{}", agent.logs());
    drop(agent);

    let agent = machine.run("sixedge-agent", |_| {});
    assert!(wait_until(PATIENCE, || serves(&agent)), "{}\n{}", agent.logs(), controller.logs());
    // Nobody answers here, and that is no reason to restart it.
    let waits = || agent.ask("ready --alive").is_ok_and(|alive| alive.contains("no BGP session"));
    assert!(wait_until(PATIENCE, waits), "{:?}\n{}", agent.ask("ready"), agent.logs());
    assert!(agent.ask("ready").is_err());
    drop(agent);

    let next = machine.run("sixedge-agent", |_| {});
    let adopted = || next.logs().contains("forwarding_kept: true");
    assert!(wait_until(PATIENCE, adopted), "forwarding did not go on without the pod:\n{}", next.logs());
    drop(next);

    let capabilities = "securityContext/capabilities/add";
    let pod = at(find(&machine.manifests, "DaemonSet", "sixedge-agent"), "spec/template/spec/containers/0");
    for without in at(pod, capabilities).as_array().unwrap() {
        let mut agent = machine.run("sixedge-agent", |container| {
            let list = container.pointer_mut(&format!("/{capabilities}")).unwrap().as_array_mut().unwrap();
            list.retain(|capability| capability != without);
        });
        let status = agent.ended();
        assert!(
            status.is_some_and(|status| !status.success()),
            "without {without} the agent works:\n{}",
            agent.logs()
        );
    }
}
