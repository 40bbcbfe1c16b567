use cni::protocol::{Response, code};
use serde_json::{Value, json};

use crate::support::{Agent, Pod, Runtime, tenant};

#[test]
fn version_tells_what_is_spoken_whatever_is_on_stdin() {
    let runtime = Runtime::new();
    let expected = json!({ "cniVersion": "1.1.0", "supportedVersions": ["0.4.0", "1.0.0", "1.1.0"] });
    for config in [json!({ "cniVersion": "1.0.0" }), json!({ "cniVersion": "9.0.0" }), Value::Null] {
        assert_eq!(runtime.call_for_node("VERSION", &config).result(), expected);
    }
}

#[test]
fn status_is_the_agents() {
    let runtime = Runtime::new();
    let config = runtime.config("1.1.0");
    let (status, message) = runtime.call_for_node("STATUS", &config).failure();
    assert!(status == 50 && message.contains("no agent answers"), "{message}");
    let agent = Agent::start(&runtime.socket(), tenant);
    assert_eq!(runtime.call_for_node("STATUS", &config).result(), Value::Null);
    drop(agent);
    let limited =
        Response::Refused { code: code::LIMITED, message: "the dataplane is out of step".to_owned() };
    let _agent = Agent::start(&runtime.socket(), move |_| Some(limited.clone()));
    assert_eq!(runtime.call_for_node("STATUS", &config).failure().0, 51);
}

#[test]
fn status_and_gc_are_not_of_older_versions() {
    let runtime = Runtime::new();
    for (command, version) in [("STATUS", "1.0.0"), ("GC", "0.4.0")] {
        let (code, message) = runtime.call_for_node(command, &runtime.config(version)).failure();
        assert!(code == 1 && message.contains("write 1.1.0"), "{message}");
    }
}

#[test]
fn gc_without_a_list_takes_nothing_away() {
    let runtime = Runtime::new();
    let agent = Agent::start(&runtime.socket(), tenant);
    let (code, message) = runtime.call_for_node("GC", &runtime.config("1.1.0")).failure();
    assert!(code == 7 && message.contains("cni.dev/valid-attachments"), "{message}");
    assert!(agent.asked().is_empty());
}

#[test]
fn a_mode_that_does_not_fit_its_place_is_refused_with_the_place() {
    let runtime = Runtime::new();
    let pod = Pod::new();
    let mut config = runtime.config("1.0.0");
    config["mode"] = "chained".into();
    let (code, message) = runtime.call("ADD", &config, &pod).failure();
    assert!(code == 7 && message.contains("in a conflist"), "{message}");
    config["mode"] = "standalone".into();
    config["prevResult"] = json!({ "cniVersion": "1.0.0", "ips": [] });
    let (code, message) = runtime.call("ADD", &config, &pod).failure();
    assert!(code == 7 && message.contains("would be lost"), "{message}");
}
