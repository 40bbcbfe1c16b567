use cni::protocol::{AttachmentId, Request, Response, code, host_interface};
use serde_json::{Value, json};

use crate::support::{Agent, Pod, Runtime, tenant, with_previous};

fn host(pod: &Pod) -> String {
    host_interface(&id(pod))
}

fn id(pod: &Pod) -> AttachmentId {
    AttachmentId { container: pod.container.clone(), interface: "eth0".to_owned() }
}

/// A pod with its result, and the agent that served it.
fn added(runtime: &Runtime, version: &str) -> (Agent, Pod, Value) {
    let agent = Agent::start(&runtime.socket(), tenant);
    let pod = Pod::new();
    let result = runtime.call("ADD", &runtime.config(version), &pod).result();
    (agent, pod, result)
}

#[test]
fn the_pod_has_addresses_and_routes_and_is_reached() {
    let runtime = Runtime::new();
    let (agent, pod, _) = added(&runtime, "1.1.0");
    let asked = agent.asked();
    let [Request::Reserve { .. }, Request::Attach(attachment)] = &asked[..] else { panic!("{asked:?}") };
    assert!(attachment.reserved && !attachment.proxy && attachment.mac.is_some());
    assert_eq!(attachment.host_interface, host(&pod));
    // The dataplane answers for the gateways; here the kernel does.
    let host = host(&pod);
    for address in ["10.1.0.1/32", "fd00:1::1/128"] {
        runtime.node.exec(&format!("ip address add {address} dev {host}"));
    }
    runtime.node.exec(&format!("ip route add 10.1.0.2 dev {host}"));
    runtime.node.exec(&format!("ip route add fd00:1::2 dev {host}"));
    assert!(pod.net.succeeds("ping -c1 -W2 10.1.0.1"));
    assert!(pod.net.succeeds("ping -c1 -W5 fd00:1::1"));
    assert!(runtime.node.succeeds("ping -c1 -W2 10.1.0.2"));
    let routes = pod.net.exec("ip route") + &pod.net.exec("ip -6 route");
    for route in ["default via 10.1.0.1", "10.1.0.1 dev eth0", "default via fd00:1::1", "fd00:1::1 dev eth0"]
    {
        assert!(routes.contains(route), "{route} in {routes}");
    }
    assert_eq!(
        (&pod.net.link("eth0").unwrap()["mtu"], &runtime.node.link(&host).unwrap()["mtu"]),
        (&json!(1400), &json!(1400))
    );
}

#[test]
fn the_result_is_of_the_version_that_was_asked_for() {
    for version in ["0.4.0", "1.0.0", "1.1.0"] {
        let runtime = Runtime::new();
        let (_agent, pod, result) = added(&runtime, version);
        let mac = |link: Option<Value>| link.unwrap()["address"].clone();
        let mut expected = json!({
            "cniVersion": version,
            "interfaces": [
                { "name": host(&pod), "mac": mac(runtime.node.link(&host(&pod))) },
                { "name": "eth0", "mac": mac(pod.net.link("eth0")), "sandbox": pod.net.path() },
            ],
            "ips": [
                { "address": "10.1.0.2/32", "gateway": "10.1.0.1", "interface": 1 },
                { "address": "fd00:1::2/128", "gateway": "fd00:1::1", "interface": 1 },
            ],
            "routes": [{ "dst": "0.0.0.0/0", "gw": "10.1.0.1" }, { "dst": "::/0", "gw": "fd00:1::1" }],
        });
        for i in 0..2 {
            match version {
                "0.4.0" => expected["ips"][i]["version"] = ["4", "6"][i].into(),
                "1.1.0" => {
                    expected["interfaces"][i]["mtu"] = 1400.into();
                    expected["routes"][i]["mtu"] = 1400.into();
                }
                _ => {}
            }
        }
        assert_eq!(result, expected, "{version}");
    }
}

#[test]
fn two_pods_may_have_the_same_addresses_on_one_node() {
    let runtime = Runtime::new();
    let _agent = Agent::start(&runtime.socket(), tenant);
    let (red, blue) = (Pod::new(), Pod::new());
    for pod in [&red, &blue] {
        runtime.call("ADD", &runtime.config("1.0.0"), pod).result();
        assert!(pod.net.exec("ip -6 address show dev eth0").contains("fd00:1::2/128"));
    }
    assert_eq!(runtime.node.links().len(), 2);
}

#[test]
fn ipv6_is_had_also_where_the_runtime_turns_it_off_for_new_interfaces() {
    let runtime = Runtime::new();
    let _agent = Agent::start(&runtime.socket(), tenant);
    let pod = Pod::new();
    pod.net.exec("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
    runtime.call("ADD", &runtime.config("1.0.0"), &pod).result();
    assert!(pod.net.exec("ip -6 address show dev eth0").contains("fd00:1::2/128"));
}

#[test]
fn a_configured_mtu_makes_it_smaller_and_never_larger() {
    let runtime = Runtime::new();
    let _agent = Agent::start(&runtime.socket(), tenant);
    for (mtu, made) in [(1300, 1300), (9000, 1400)] {
        let pod = Pod::new();
        let mut config = runtime.config("1.0.0");
        config["mtu"] = mtu.into();
        runtime.call("ADD", &config, &pod).result();
        assert_eq!(pod.net.link("eth0").unwrap()["mtu"], made);
    }
}

#[test]
fn what_was_made_goes_when_the_agent_refuses_at_last() {
    let runtime = Runtime::new();
    let agent = Agent::start(&runtime.socket(), |request| match request {
        Request::Attach(_) => {
            Some(Response::Refused { code: code::INVALID, message: "no such VRF".to_owned() })
        }
        other => tenant(other),
    });
    let pod = Pod::new();
    assert_eq!(runtime.call("ADD", &runtime.config("1.0.0"), &pod).failure(), (7, "no such VRF".to_owned()));
    assert!(runtime.node.links().is_empty() && pod.net.links().is_empty());
    assert!(matches!(agent.asked().last(), Some(Request::Detach(_))), "the addresses are given back");
}

#[test]
fn addresses_are_given_back_when_the_interface_cannot_be_made() {
    let runtime = Runtime::new();
    let agent = Agent::start(&runtime.socket(), tenant);
    let pod = Pod::new();
    pod.net.exec("ip link add eth0 type bridge");
    let (code, message) = runtime.call("ADD", &runtime.config("1.0.0"), &pod).failure();
    assert!(code == 5 && message.contains("veth pair"), "{code} {message}");
    assert!(matches!(&agent.asked()[..], [Request::Reserve { .. }, Request::Detach(_)]));
    assert!(runtime.node.links().is_empty());
}

#[test]
fn what_an_add_that_was_killed_has_left_does_not_stop_the_next_one() {
    let runtime = Runtime::new();
    let _agent = Agent::start(&runtime.socket(), tenant);
    let pod = Pod::new();
    runtime.node.exec(&format!(
        "ip link add {} type veth peer eth0 netns {}",
        host(&pod),
        pod.net.path().display()
    ));
    runtime.call("ADD", &runtime.config("1.0.0"), &pod).result();
}

#[test]
fn del_is_idempotent_and_needs_neither_namespace_nor_agent() {
    let runtime = Runtime::new();
    let config = runtime.config("1.0.0");
    let (agent, pod, result) = added(&runtime, "1.0.0");
    agent.asked();
    for _ in 0..2 {
        assert_eq!(runtime.call("DEL", &with_previous(&config, &result), &pod).result(), Value::Null);
        assert!(matches!(&agent.asked()[..], [Request::Detach(id)] if id.container == pod.container));
        assert!(runtime.node.links().is_empty());
    }
    runtime.call("ADD", &config, &pod).result();
    drop(agent);
    let variables = [("CNI_COMMAND", "DEL"), ("CNI_CONTAINERID", &pod.container), ("CNI_IFNAME", "eth0")];
    let program = std::path::Path::new(crate::support::PLUGIN);
    assert!(runtime.raw(program, &variables, config.to_string().as_bytes()).succeeded);
    assert!(runtime.node.links().is_empty(), "by its name alone");
    let net = pod.net;
    let gone = [variables.as_slice(), &[("CNI_NETNS", "/run/netns/gone")]].concat();
    drop(net);
    assert!(runtime.raw(program, &gone, config.to_string().as_bytes()).succeeded);
}

#[test]
fn a_pod_in_no_vrf_has_no_network_and_is_told_why() {
    let runtime = Runtime::new();
    let _agent = Agent::start(&runtime.socket(), |_| Some(Response::NotOurs));
    let pod = Pod::new();
    let (code, message) = runtime.call("ADD", &runtime.config("1.0.0"), &pod).failure();
    assert!(code == 7 && message.contains("namespaceSelector"), "{message}");
}

#[test]
fn check_is_false_when_something_is_gone() {
    let runtime = Runtime::new();
    let (agent, pod, result) = added(&runtime, "1.1.0");
    agent.asked();
    // A single plugin's mode is not written: the result tells it.
    let config = with_previous(&runtime.config("1.1.0"), &result);
    let check = || runtime.call("CHECK", &config, &pod);
    assert_eq!(check().result(), Value::Null);
    assert!(matches!(&agent.asked()[..], [Request::Check(found)] if found.reserved));
    let broken = [
        ("ip route del default", "ip route add default via 10.1.0.1", "0.0.0.0/0"),
        (
            "ip -6 address del fd00:1::2/128 dev eth0",
            "ip -6 address add fd00:1::2/128 dev eth0 nodad",
            "fd00:1::2",
        ),
    ];
    for (breaks, mends, told) in broken {
        pod.net.exec(breaks);
        let (code, message) = check().failure();
        assert!(code == 100 && message.contains(told), "{breaks}: {message}");
        pod.net.exec(mends);
    }
    runtime.node.exec(&format!("ip link set {} down", host(&pod)));
    let (code, message) = check().failure();
    assert!(code == 100 && message.contains("down"), "{message}");
}

#[test]
fn check_is_false_when_the_agent_says_so() {
    let runtime = Runtime::new();
    let (agent, pod, result) = added(&runtime, "1.0.0");
    drop(agent);
    let refusal = Response::Refused { code: code::NOT_AS_MADE, message: "not a circuit".to_owned() };
    let _agent = Agent::start(&runtime.socket(), move |_| Some(refusal.clone()));
    let config = with_previous(&runtime.config("1.0.0"), &result);
    assert_eq!(runtime.call("CHECK", &config, &pod).failure(), (100, "not a circuit".to_owned()));
}

#[test]
fn gc_takes_away_what_the_agent_has_let_go_of() {
    let runtime = Runtime::new();
    let (agent, pod, _) = added(&runtime, "1.1.0");
    let kept = Pod::new();
    runtime.call("ADD", &runtime.config("1.1.0"), &kept).result();
    drop(agent);
    let ids = vec![id(&pod)];
    let agent = Agent::start(&runtime.socket(), move |_| Some(Response::Released { ids: ids.clone() }));
    let mut config = runtime.config("1.1.0");
    config["cni.dev/valid-attachments"] = json!([{ "containerID": kept.container, "ifname": "eth0" }]);
    assert_eq!(runtime.call_for_node("GC", &config).result(), Value::Null);
    assert_eq!(agent.asked(), [Request::Retain { network: "net".to_owned(), valid: vec![id(&kept)] }]);
    assert!(runtime.node.link(&host(&pod)).is_none() && runtime.node.link(&host(&kept)).is_some());
}
