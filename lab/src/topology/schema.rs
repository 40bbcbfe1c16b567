//! The topology file as written: containerlab's keys, those that lab supports typed, the others only noted.
//! Keys that neither knows are errors (`deny_unknown_fields`).
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_saphyr::Spanned;

/// A key that containerlab knows and lab does not act on.
#[derive(Debug, Default)]
pub(crate) struct Noted(bool);

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $key:literal,)* } noted { $($noted:ident = $noted_key:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $(#[serde(default, rename = $key)] pub(crate) $field: $type,)*
            $(#[serde(default, rename = $noted_key)] $noted: Noted,)*
        }
        impl $name {
            /// The keys present that lab does not act on.
            pub(crate) fn unsupported(&self) -> Vec<&'static str> {
                [$(($noted_key, self.$noted.0),)*].into_iter().filter(|(_, present)| *present).map(|(key, _)| key).collect()
            }
        }
    };
}

section! {
    /// The whole file.
    File {
        name: Option<Spanned<String>> = "name",
        prefix: Option<String> = "prefix",
        topology: Topology = "topology",
    } noted { mgmt = "mgmt", settings = "settings", debug = "debug", }
}

section! {
    /// `topology:`
    Topology {
        defaults: NodeKeys = "defaults",
        kinds: BTreeMap<String, NodeKeys> = "kinds",
        groups: BTreeMap<String, NodeKeys> = "groups",
        nodes: BTreeMap<String, Option<Spanned<NodeKeys>>> = "nodes",
        links: Vec<Spanned<Link>> = "links",
    } noted { }
}

section! {
    /// What may be said of a node, and of all nodes in `defaults`, `kinds` and `groups`.
    NodeKeys {
        kind: Option<String> = "kind",
        group: Option<String> = "group",
        image: Option<String> = "image",
        cmd: Option<String> = "cmd",
        binds: Vec<Spanned<String>> = "binds",
        exec: Vec<Spanned<String>> = "exec",
        env: BTreeMap<String, String> = "env",
        sysctls: BTreeMap<String, String> = "sysctls",
        mtu: Option<u32> = "mtu",
        // Descriptions only: nothing is lost by not acting on them.
        _labels: BTreeMap<String, String> = "labels",
    } noted {
        node_type = "type", startup_config = "startup-config", startup_delay = "startup-delay",
        enforce_startup_config = "enforce-startup-config", suppress_startup_config = "suppress-startup-config",
        auto_remove = "auto-remove", restart_policy = "restart-policy", config = "config", license = "license",
        position = "position", entrypoint = "entrypoint", sans = "SANs", ports = "ports", publish = "publish",
        mgmt_ipv4 = "mgmt-ipv4", mgmt_ipv6 = "mgmt-ipv6", old_mgmt_ipv4 = "mgmt_ipv4", old_mgmt_ipv6 = "mgmt_ipv6",
        env_files = "env-files", user = "user", network_mode = "network-mode", sandbox = "sandbox", kernel = "kernel",
        runtime = "runtime", cpu = "cpu", cpu_set = "cpu-set", memory = "memory", extras = "extras",
        wait_for = "wait-for", stages = "stages", dns = "dns", certificate = "certificate",
        healthcheck = "healthcheck", aliases = "aliases", components = "components", devices = "devices",
        cap_add = "cap-add", shm_size = "shm-size", image_pull_policy = "image-pull-policy",
        credentials = "credentials",
    }
}

section! {
    /// One of `links:`, brief (`endpoints: ["a:eth1", "b:eth1"]`) or extended (`type: veth`).
    Link {
        link_type: Option<String> = "type",
        endpoints: Vec<Spanned<Endpoint>> = "endpoints",
        endpoint: Option<Spanned<Endpoint>> = "endpoint",
        mtu: Option<u32> = "mtu",
        _labels: BTreeMap<String, String> = "labels",
    } noted {
        vars = "vars", host_interface = "host-interface", mode = "mode", remote = "remote", vni = "vni",
        dst_port = "dst-port", src_port = "src-port", ipv4 = "ipv4", ipv6 = "ipv6",
    }
}

section! {
    /// An end in the extended form.
    ExtendedEndpoint {
        node: Option<String> = "node",
        interface: Option<String> = "interface",
        mac: Option<String> = "mac",
    } noted { ipv4 = "ipv4", ipv6 = "ipv6", vars = "vars", }
}

/// One end of a link, in either form.
#[derive(Debug)]
pub(crate) enum Endpoint {
    /// `node:interface`
    Brief(String),
    /// `{ node, interface, mac }`
    Extended(ExtendedEndpoint),
}

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EndpointVisitor)
    }
}

struct EndpointVisitor;

impl<'de> Visitor<'de> for EndpointVisitor {
    type Value = Endpoint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an endpoint: \"node:interface\" or { node: NODE, interface: NAME }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Endpoint, E> {
        Ok(Endpoint::Brief(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Endpoint, A::Error> {
        let keys = serde::de::value::MapAccessDeserializer::new(map);
        ExtendedEndpoint::deserialize(keys).map(Endpoint::Extended)
    }
}
