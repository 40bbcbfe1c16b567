//! Whatever comes in, what comes out is the specification's error, and nothing is left behind.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Agent, PLUGIN, Pod, Runtime, tenant};

/// Code and message of ADD with these octets on stdin.
fn add(runtime: &Runtime, pod: &Pod, stdin: &[u8]) -> (u64, String) {
    let netns = pod.net.path();
    let variables = [
        ("CNI_COMMAND", "ADD"),
        ("CNI_CONTAINERID", &*pod.container),
        ("CNI_NETNS", netns.to_str().unwrap()),
        ("CNI_IFNAME", "eth0"),
        ("CNI_ARGS", &pod.args),
    ];
    runtime.raw(Path::new(PLUGIN), &variables, stdin).failure()
}

#[test]
fn what_is_no_configuration_is_code_6() {
    let (runtime, pod) = (Runtime::new(), Pod::new());
    let deep = "[".repeat(100_000);
    for text in ["", "{", "[]", "null", "\u{0}", "{\"cniVersion\": 1}", &deep] {
        assert_eq!(add(&runtime, &pod, text.as_bytes()).0, 6, "{:.20}", text);
    }
    assert_eq!(add(&runtime, &pod, b"\xff\xfe{}").0, 6);
}

#[test]
fn values_of_other_types_are_code_6_and_name_what_is_expected() {
    let (runtime, pod) = (Runtime::new(), Pod::new());
    let wrong = [
        ("mode", json!("bridged"), "chained"),
        ("mtu", json!("1500"), "u32"),
        ("socket", json!([]), "path"),
        ("prevResult", json!({ "ips": [{ "address": "nowhere" }] }), "address"),
        ("prevResult", json!([1]), "expected"),
        ("prevResult", json!({ "ips": {} }), "sequence"),
    ];
    for (key, value, told) in wrong {
        let mut config = runtime.config("1.0.0");
        config[key] = value.clone();
        let (code, message) = add(&runtime, &pod, config.to_string().as_bytes());
        assert!(code == 6 && message.contains(told), "{key}: {value}: {code} {message}");
    }
}

#[test]
fn a_configuration_larger_than_any_real_one_is_refused() {
    let (runtime, pod) = (Runtime::new(), Pod::new());
    let mut config = runtime.config("1.0.0");
    config["pad"] = "x".repeat(5 << 20).into();
    let (code, message) = add(&runtime, &pod, config.to_string().as_bytes());
    assert!(code == 6 && message.contains("more than"), "{message}");
}

#[test]
fn other_versions_are_code_1_and_told_which_are_spoken() {
    let (runtime, pod) = (Runtime::new(), Pod::new());
    for version in ["", "0.3.1", "1.0", "2.0.0"] {
        let (code, message) = add(&runtime, &pod, runtime.config(version).to_string().as_bytes());
        assert!(code == 1 && message.contains("0.4.0, 1.0.0 or 1.1.0"), "{message}");
    }
}

#[test]
fn keys_that_would_be_passed_over_are_code_2() {
    let (runtime, pod) = (Runtime::new(), Pod::new());
    let mut config = runtime.config("1.0.0");
    config["ipam"] = json!({ "type": "host-local" });
    let (code, message) = add(&runtime, &pod, config.to_string().as_bytes());
    assert!(code == 2 && message.contains("ipam") && message.contains("host-local"), "{message}");
    config["ipam"] = json!({});
    config["mtu"] = 68.into();
    assert_eq!(add(&runtime, &pod, config.to_string().as_bytes()).0, 7);
    config["name"] = Value::Null;
    config["mtu"] = Value::Null;
    assert_eq!(add(&runtime, &pod, config.to_string().as_bytes()).0, 7);
}

#[test]
fn variables_that_are_missing_or_wrong_are_code_4_and_named() {
    let (runtime, pod) = (Runtime::new(), Pod::new());
    let agent = Agent::start(&runtime.socket(), tenant);
    let fifo = runtime.folder.path().join("fifo");
    runtime.node.exec(&format!("mkfifo {}", fifo.display()));
    let netns = pod.net.path();
    let own = runtime.node.path();
    let good = [
        ("CNI_COMMAND", "ADD"),
        ("CNI_CONTAINERID", &*pod.container),
        ("CNI_NETNS", netns.to_str().unwrap()),
        ("CNI_IFNAME", "eth0"),
        ("CNI_ARGS", &*pod.args),
    ];
    let config = runtime.config("1.0.0").to_string();
    let long = "x".repeat(300);
    let wrong = [
        ("CNI_COMMAND", ""),
        ("CNI_COMMAND", "add"),
        ("CNI_COMMAND", "EXPLODE"),
        ("CNI_CONTAINERID", ""),
        ("CNI_CONTAINERID", "../../../etc/cron.d/x"),
        ("CNI_CONTAINERID", &long),
        ("CNI_IFNAME", ""),
        ("CNI_IFNAME", "eth0/../x"),
        ("CNI_IFNAME", "sixteen-octets-x"),
        ("CNI_NETNS", ""),
        ("CNI_NETNS", "/nowhere"),
        ("CNI_NETNS", "/etc/passwd"),
        ("CNI_NETNS", "/tmp"),
        ("CNI_NETNS", "/proc/self/ns/mnt"),
        ("CNI_NETNS", fifo.to_str().unwrap()),
        ("CNI_NETNS", own.to_str().unwrap()),
        ("CNI_ARGS", ""),
        ("CNI_ARGS", "K8S_POD_NAMESPACE=red"),
        ("CNI_ARGS", ";;=;K8S_POD_NAME"),
    ];
    for (variable, value) in wrong {
        let variables =
            good.map(|(name, usual)| if name == variable { (name, value) } else { (name, usual) });
        let (code, message) = runtime.raw(Path::new(PLUGIN), &variables, config.as_bytes()).failure();
        assert!(code == 4 && message.contains(variable), "{variable}={value}: {code} {message}");
    }
    assert!(runtime.node.links().is_empty() && pod.net.links().is_empty());
    assert!(agent.asked().is_empty(), "nobody was asked for what cannot be");
}

#[test]
fn an_agent_that_talks_nonsense_is_an_error_and_no_result() {
    use std::{
        io::{BufRead, BufReader, Write},
        os::unix::net::UnixListener,
    };
    let (runtime, pod) = (Runtime::new(), Pod::new());
    let listener = UnixListener::bind(runtime.socket()).unwrap();
    let answering = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            BufReader::new(&stream).read_line(&mut String::new()).unwrap();
            let _ = stream.write_all(b"{\"answer\":\"maybe\"}\n");
        }
    });
    let (code, message) = add(&runtime, &pod, runtime.config("1.0.0").to_string().as_bytes());
    assert!(code == 7 && message.contains("not understood"), "{code} {message}");
    answering.join().unwrap();
    assert!(runtime.node.links().is_empty());
}
