use std::path::Path;

use super::{LinkEnds, Topology};

const HEAD: &str = "name: t\ntopology:\n  defaults: { kind: linux, image: alpine }\n";

fn parse(text: &str) -> Result<Topology, String> {
    Topology::parse(Path::new("/tmp/t.clab.yml"), text).map_err(|error| error.to_string())
}

fn with_nodes(rest: &str) -> Result<Topology, String> {
    parse(&format!("{HEAD}  nodes: {{ a: {{}}, b: {{ mtu: 1400 }} }}\n{rest}"))
}

#[test]
fn brief_and_extended_links_mean_the_same() {
    let brief = with_nodes("  links:\n    - endpoints: [\"a:eth1\", \"b:eth2\"]\n      mtu: 1500\n").unwrap();
    let extended = with_nodes(
        "  links:\n    - type: veth\n      mtu: 1500\n      endpoints:\n        - { node: a, interface: eth1 }\n        - { node: b, interface: eth2 }\n",
    )
    .unwrap();
    assert_eq!(brief.links, extended.links);
    assert_eq!(brief.links[0].mtu, 1500);
}

#[test]
fn a_link_without_mtu_takes_its_nodes_and_else_containerlabs() {
    let links = "  links:\n    - endpoints: [\"a:eth1\", \"b:eth1\"]\n    - type: dummy\n      endpoint: { node: a, interface: d0 }\n";
    let topology = with_nodes(links).unwrap();
    assert_eq!(topology.links[0].mtu, 1400);
    assert_eq!(topology.links[1].mtu, 9500);
    assert!(matches!(&topology.links[1].ends, LinkEnds::Dummy(end) if end.interface == "d0"));
}

#[test]
fn node_wins_over_group_over_kind_over_defaults() {
    let topology = parse(
        "name: t\ntopology:\n  defaults: { kind: linux, env: { A: defaults, D: defaults }, exec: [\"one\"] }\n  kinds: { linux: { image: k, env: { A: kind, K: 1 } } }\n  groups: { g: { image: g, env: { A: group } } }\n  nodes:\n    x: { group: g, env: { A: node }, exec: [\"two 'and more'\"] }\n    y: {}\n",
    )
    .unwrap();
    let x = &topology.nodes["x"];
    assert_eq!((x.image.as_str(), topology.nodes["y"].image.as_str()), ("g", "k"));
    assert_eq!((x.env["A"].as_str(), x.env["D"].as_str(), x.env["K"].as_str()), ("node", "defaults", "1"));
    assert_eq!(x.exec[0].words, ["one"]);
    assert_eq!(x.exec[1].words, ["two", "and more"]);
}

#[test]
fn keys_of_containerlab_are_warned_of_and_others_refused() {
    let known = parse(&format!("{HEAD}  nodes:\n    a: {{ memory: 1GB, ports: [\"80:80\"] }}\n")).unwrap();
    assert_eq!(known.warnings.len(), 1);
    assert!(known.warnings[0].contains("node a: lab passes over ports, memory"), "{}", known.warnings[0]);
    let unknown = parse(&format!("{HEAD}  nodes:\n    a: {{ imge: x }}\n")).unwrap_err();
    assert!(unknown.starts_with("/tmp/t.clab.yml:5:"), "{unknown}");
    assert!(unknown.contains("imge"), "{unknown}");
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (links, expected) in [
        ("    - endpoints: [\"a:eth1\", \"c:eth1\"]\n", "/tmp/t.clab.yml:6:29: there is no node \"c\""),
        ("    - endpoints: [\"a:eth1\"]\n", "/tmp/t.clab.yml:6:7: a veth link has two ends"),
        ("    - endpoints: [\"a:eth1\", \"a:eth1\"]\n", "a:eth1 is an end of another link already"),
        ("    - endpoints: [\"a:eth1\", \"host:x\"]\n", "links to host are not supported"),
        ("    - endpoints: [\"a:eth1\", \"b:averylonginterface\"]\n", "cannot be an interface's name"),
        ("    - { endpoints: [\"a:eth1\", \"b:eth1\"], mtu: 20 }\n", "mtu 20 is not in 68 to 65535"),
        ("    - { type: vxlan, endpoint: \"a:eth1\" }\n", "link type vxlan is not supported"),
    ] {
        let error = with_nodes(&format!("  links:\n{links}")).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_would_reach_beyond_the_node_is_refused() {
    for (keys, expected) in [
        ("sysctls: { kernel.panic: 1 }", "sysctl kernel.panic belongs to the whole machine"),
        ("binds: [\"/nowhere/at/all:/x\"]", "No such file or directory"),
        ("binds: [\"/etc:/x/../../y\"]", "must be an absolute path below /"),
        ("binds: [\"/etc:/x:rx\"]", "option \"rx\" is unknown"),
        ("kind: srl", "kind srl wants a container engine"),
    ] {
        let error = parse(&format!("{HEAD}  nodes:\n    a: {{ {keys} }}\n")).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(
        parse("name: t\ntopology:\n  nodes: { a: { image: x } }\n")
            .unwrap_err()
            .contains("no kind; write kind: linux")
    );
    assert!(parse("name: ../up\ntopology: {}\n").unwrap_err().contains("cannot be a name"));
}

#[test]
fn containers_are_named_as_containerlab_does() {
    let name =
        |prefix: &str| parse(&format!("{prefix}{HEAD}  nodes: {{ a: {{}} }}\n")).unwrap().container_name("a");
    assert_eq!(name(""), "clab-t-a");
    assert_eq!(name("prefix: x\n"), "x-t-a");
    assert_eq!(name("prefix: \"\"\n"), "a");
    assert_eq!(name("prefix: __lab-name\n"), "t-a");
}
