//! Agents that are restarted, and an API server that is away: nobody's packets are lost by it.

use std::time::Duration;

use lab::Signal;

use crate::{
    cluster::{Cluster, NODES},
    peers::Stream,
    pods::{Pod, give_vips, set_endpoints},
    tenants::await_backends,
};

const SITE: &str = "10.0.3.2";

#[track_caller]
fn assert_lossless(what: &str, stream: Stream) {
    // The next agent's first moments count as well.
    std::thread::sleep(Duration::from_secs(2));
    let (sent, answered) = stream.stop();
    println!("{what}: {answered} of {sent} pings answered");
    assert!(sent > 100 && sent - answered <= 1, "{what}: {answered} of {sent}; the last may be on its way");
}

#[test]
fn restarts_of_agents_and_outages_of_the_api_server_lose_no_packet() {
    let Some(cluster) = Cluster::up("outages") else { return };
    let client = Pod::start(&cluster, ["node1", "tenants", "red-shop", "client"], "client");
    let webs = [("node1", "web1"), ("node2", "web2")]
        .map(|(node, name)| Pod::start(&cluster, [node, "tenants", "red-shop", name], "web"));
    cluster.manifest("service");
    give_vips(&cluster);
    set_endpoints(&cluster, "red-shop", "web", &webs);
    await_backends(&cluster, &[&webs[0], &webs[1]]);
    client.await_answer(format!("{SITE}:8080").parse().unwrap(), "red-site");

    a_rolling_update_loses_nothing(&cluster, &client);
    an_agent_comes_back_without_api_server(&cluster, &client, webs);
    what_was_missed_is_made_up_for(&cluster, &client, webs);
}

fn a_rolling_update_loses_nothing(cluster: &Cluster, client: &Pod<'_>) {
    let stream = client.stream(SITE);
    for node in NODES {
        cluster.restart_agent(node, Signal::SIGTERM);
        cluster.await_ready(node);
    }
    assert_lossless("rolling update", stream);
    let stream = client.stream(SITE);
    cluster.restart_agent("node1", Signal::SIGKILL);
    cluster.await_ready("node1");
    assert_lossless("kill -9", stream);
}

fn an_agent_comes_back_without_api_server(cluster: &Cluster, client: &Pod<'_>, webs: [Pod<'_>; 2]) {
    let stream = client.stream(SITE);
    cluster.node("api").kill_main(Signal::SIGKILL).unwrap();
    cluster.restart_agent("node1", Signal::SIGKILL);
    cluster.pe("node1").await_agent("fd00:ff::9");
    assert_lossless("a new agent without API server", stream);
    cluster.pe("node1").await_learnt("red", "10.0.3.0/24");
    await_backends(cluster, &[&webs[0], &webs[1]]);
    client.runtime("check").unwrap();
}

/// An agent is away while the cluster changes, and the API server remembers no events when it comes back.
fn what_was_missed_is_made_up_for(cluster: &Cluster, client: &Pod<'_>, webs: [Pod<'_>; 2]) {
    cluster.node("api").start_main().unwrap();
    cluster.await_api();
    cluster.keep_controller();
    NODES.iter().for_each(|node| cluster.await_ready(node));
    let stream = client.stream(SITE);
    cluster.node("node1").kill_main(Signal::SIGKILL).unwrap();
    webs[1].delete();
    let web3 = Pod::start(cluster, ["node2", "tenants", "red-shop", "web3"], "web");
    set_endpoints(cluster, "red-shop", "web", &[webs[0], web3]);
    cluster.node("api").kill_main(Signal::SIGKILL).unwrap();
    cluster.node("api").start_main().unwrap();
    cluster.await_api();
    cluster.node("node1").start_main().unwrap();
    await_backends(cluster, &[&webs[0], &web3]);
    NODES.iter().for_each(|node| cluster.await_ready(node));
    assert_lossless("a cluster that changed meanwhile", stream);
}
