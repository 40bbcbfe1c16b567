use std::{
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

use cni::protocol::{Attachment, Request, Response, code};
use serde_json::Value;

use crate::support::{Agent, Pod, Runtime, tenant, with_previous};

const VERSIONS: [&str; 3] = ["0.4.0", "1.0.0", "1.1.0"];

fn attached(agent: &Agent) -> Attachment {
    match &agent.asked()[..] {
        [Request::Attach(attachment)] => attachment.clone(),
        other => panic!("{other:?}"),
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[test]
fn behind_ptp_the_circuit_is_the_nodes_end_and_the_result_goes_through_in_every_version() {
    for version in VERSIONS {
        let runtime = Runtime::new();
        let agent = Agent::start(&runtime.socket(), tenant);
        let pod = Pod::new();
        let (mut previous, answer) =
            runtime.add_behind(&runtime.front("ptp", version), &runtime.config(version), &pod);
        let result = answer.result();
        let attachment = attached(&agent);
        let host = previous["interfaces"][0]["name"].clone();
        assert_eq!(attachment.host_interface, host.as_str().unwrap());
        assert_eq!(
            (attachment.id.container, attachment.id.interface),
            (pod.container.clone(), "eth0".to_owned())
        );
        assert_eq!((&*attachment.pod.namespace, &*attachment.pod.name), ("red", "web"));
        assert_eq!((attachment.pod.uid.as_deref(), &*attachment.network), (Some("u1"), "net"));
        assert_eq!(texts(&attachment.addresses), ["192.0.2.2", "2001:db8:1::2"]);
        assert_eq!(texts(&attachment.gateways), ["192.0.2.1", "2001:db8:1::1"]);
        assert!(!attachment.proxy && !attachment.reserved);
        assert_eq!(attachment.netns, pod.net.path());
        let eth0 = pod.net.link("eth0").unwrap();
        let mac = attachment.mac.unwrap().map(|octet| format!("{octet:02x}")).join(":");
        assert_eq!((&eth0["mtu"], &eth0["address"]), (&1400.into(), &Value::from(mac)));
        assert_eq!(runtime.node.link(host.as_str().unwrap()).unwrap()["mtu"], 1400);
        if version == "1.1.0" {
            previous["interfaces"][0]["mtu"] = 1400.into();
            previous["interfaces"][1]["mtu"] = 1400.into();
        }
        assert_eq!(result, previous, "{version}");
        let front = runtime.front("ptp", version);
        let mut check = with_previous(&front, &result);
        check["prevResult"]["cniVersion"] = front["cniVersion"].clone();
        assert!(
            runtime.in_front("CHECK", &check, &pod).succeeded,
            "the plugin in front still finds what it made"
        );
    }
}

#[test]
fn behind_a_bridge_the_circuit_is_the_port_and_answers_for_everyone_on_it() {
    let runtime = Runtime::new();
    let agent = Agent::start(&runtime.socket(), tenant);
    let (first, second) = (Pod::new(), Pod::new());
    let (front, config) = (runtime.front("bridge", "1.0.0"), runtime.config("1.0.0"));
    for (pod, address) in [(&first, "192.0.2.2"), (&second, "192.0.2.3")] {
        let (previous, answer) = runtime.add_behind(&front, &config, pod);
        answer.result();
        let attachment = attached(&agent);
        assert_eq!(previous["interfaces"][0]["name"], "cni0");
        assert_eq!(attachment.host_interface, previous["interfaces"][1]["name"].as_str().unwrap());
        assert!(attachment.proxy);
        assert_eq!(attachment.addresses[0].to_string(), address);
        assert_eq!(attachment.gateways[0].to_string(), "192.0.2.1");
    }
}

#[test]
fn a_result_that_names_no_interface_of_the_node_is_good_enough() {
    let runtime = Runtime::new();
    let agent = Agent::start(&runtime.socket(), tenant);
    let pod = Pod::new();
    // As Calico has it: addresses of no particular interface, and a gateway that is in the container's routes alone.
    runtime.node.exec(&format!("ip link add cali1 type veth peer eth0 netns {}", pod.net.path().display()));
    pod.net.exec("ip address add 192.0.2.9/32 dev eth0");
    pod.net.exec("ip link set eth0 up");
    pod.net.exec("ip route add 169.254.1.1 dev eth0 scope link");
    pod.net.exec("ip route add default via 169.254.1.1 dev eth0");
    let mut previous = serde_json::json!({ "ips": [{ "address": "192.0.2.9/32" }], "dns": {} });
    let result = runtime.call("ADD", &with_previous(&runtime.config("1.0.0"), &previous), &pod).result();
    previous["cniVersion"] = "1.0.0".into();
    assert_eq!(result, previous);
    let attachment = attached(&agent);
    assert_eq!(attachment.host_interface, "cali1");
    assert_eq!(
        (texts(&attachment.addresses), texts(&attachment.gateways)),
        (vec!["192.0.2.9".into()], vec!["169.254.1.1".into()])
    );
}

#[test]
fn a_pod_in_no_vrf_is_left_as_it_is() {
    let runtime = Runtime::new();
    let _agent = Agent::start(&runtime.socket(), |_| Some(Response::NotOurs));
    let pod = Pod::new();
    let (previous, answer) =
        runtime.add_behind(&runtime.front("ptp", "1.1.0"), &runtime.config("1.1.0"), &pod);
    assert_eq!(answer.result(), previous);
    assert_eq!(pod.net.link("eth0").unwrap()["mtu"], 1500);
    assert!(runtime.call("CHECK", &with_previous(&runtime.config("1.1.0"), &previous), &pod).succeeded);
}

#[test]
fn an_agent_that_restarts_meanwhile_is_waited_for() {
    let runtime = Runtime::new();
    let socket = runtime.socket();
    let later = spawn(move || {
        sleep(Duration::from_secs(1));
        // One that stops in the middle of it, one that is not ready, and one that is.
        stops_after(&socket, None);
        let again = Response::Refused { code: code::TRY_AGAIN, message: "not yet".to_owned() };
        stops_after(&socket, Some(again));
        Agent::start(&socket, tenant)
    });
    let pod = Pod::new();
    let (previous, answer) =
        runtime.add_behind(&runtime.front("ptp", "1.0.0"), &runtime.config("1.0.0"), &pod);
    assert_eq!(answer.result(), previous);
    later.join().unwrap();
}

/// An agent that has answered one question so.
fn stops_after(socket: &std::path::Path, answer: Option<Response>) {
    let agent = Agent::start(socket, move |_| answer.clone());
    while agent.asked().is_empty() {
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn without_an_agent_add_says_to_try_again_and_del_succeeds() {
    let runtime = Runtime::new();
    let pod = Pod::new();
    let begun = Instant::now();
    let (previous, answer) =
        runtime.add_behind(&runtime.front("ptp", "1.0.0"), &runtime.config("1.0.0"), &pod);
    let (code, message) = answer.failure();
    assert!(code == 11 && message.contains("no agent answers at"), "{code} {message}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let config = with_previous(&runtime.config("1.0.0"), &previous);
    assert!(runtime.call("DEL", &config, &pod).succeeded);
    assert_eq!(runtime.call("CHECK", &config, &pod).failure().0, 11);
}

#[test]
fn what_the_agent_refuses_is_told_in_its_words_and_undone() {
    let runtime = Runtime::new();
    let agent = Agent::start(&runtime.socket(), |request| match request {
        Request::Attach(_) => Some(Response::Refused { code: code::INVALID, message: "two VRFs".to_owned() }),
        other => tenant(other),
    });
    let pod = Pod::new();
    let (_, answer) = runtime.add_behind(&runtime.front("ptp", "1.0.0"), &runtime.config("1.0.0"), &pod);
    assert_eq!(answer.failure(), (7, "two VRFs".to_owned()));
    assert!(matches!(&agent.asked()[..], [Request::Attach(_), Request::Detach(_)]));
}

#[test]
fn del_can_be_called_as_often_as_one_likes_and_touches_nothing_of_the_plugin_in_front() {
    let runtime = Runtime::new();
    let agent = Agent::start(&runtime.socket(), tenant);
    let pod = Pod::new();
    let front = runtime.front("ptp", "1.0.0");
    let (previous, answer) = runtime.add_behind(&front, &runtime.config("1.0.0"), &pod);
    answer.result();
    agent.asked();
    let config = with_previous(&runtime.config("1.0.0"), &previous);
    for _ in 0..2 {
        assert_eq!(runtime.call("DEL", &config, &pod).result(), Value::Null);
        assert!(matches!(&agent.asked()[..], [Request::Detach(id)] if id.container == pod.container));
        assert!(pod.net.link("eth0").is_some());
    }
    assert!(runtime.in_front("DEL", &front, &pod).succeeded);
    assert_eq!(runtime.call("DEL", &config, &pod).result(), Value::Null);
}

#[test]
fn check_is_false_when_something_is_gone() {
    let runtime = Runtime::new();
    let _agent = Agent::start(&runtime.socket(), tenant);
    let pod = Pod::new();
    let (previous, answer) =
        runtime.add_behind(&runtime.front("ptp", "1.1.0"), &runtime.config("1.1.0"), &pod);
    answer.result();
    let config = with_previous(&runtime.config("1.1.0"), &previous);
    assert_eq!(runtime.call("CHECK", &config, &pod).result(), Value::Null);
    pod.net.exec("ip address del 192.0.2.2/24 dev eth0");
    let (code, message) = runtime.call("CHECK", &config, &pod).failure();
    assert!(code == 100 && message.contains("192.0.2.2"), "{message}");
    pod.net.exec("ip link del eth0");
    let (code, message) = runtime.call("CHECK", &config, &pod).failure();
    assert!(code == 100 && message.contains("eth0"), "{message}");
}

#[test]
fn an_interface_that_is_no_veth_is_refused_with_what_to_do() {
    let runtime = Runtime::new();
    let _agent = Agent::start(&runtime.socket(), tenant);
    let pod = Pod::new();
    pod.net.exec("ip link add eth0 type bridge");
    let previous = serde_json::json!({ "cniVersion": "1.0.0", "ips": [{ "address": "192.0.2.9/32" }] });
    let (_, message) =
        runtime.call("ADD", &with_previous(&runtime.config("1.0.0"), &previous), &pod).failure();
    assert!(message.contains("goes behind plugins that make one"), "{message}");
    pod.net.exec("ip link del eth0");
    pod.net.exec("ip link add eth0 type veth peer eth1");
    let (_, message) =
        runtime.call("ADD", &with_previous(&runtime.config("1.0.0"), &previous), &pod).failure();
    assert!(message.contains("whose other end is on the node"), "{message}");
}
