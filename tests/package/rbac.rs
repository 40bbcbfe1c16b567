//! What the manifests grant is what the programs use, by the API server's own record of who asked for what.

use std::{collections::BTreeSet, fmt};

use lab::wait_until;
use serde_json::Value;
use testapi::Request;

use crate::{
    container::{Machine, PATIENCE},
    kubectl::{find, said},
    peer::Peer,
};

/// A verb on a resource, in a namespace, or in all and none where that is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    verb: String,
    resource: String,
    namespace: String,
    /// The only object that it is for; empty for all.
    name: String,
}

impl fmt::Display for Right {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {} {}", self.verb, self.resource, self.namespace, self.name)
    }
}

impl Right {
    fn allows(&self, request: &Request) -> bool {
        // Whoever creates names nothing yet, as far as RBAC is concerned.
        let name = if request.verb == "create" { "" } else { &request.name };
        self.verb == request.verb
            && self.resource == resource(&request.group, &request.resource, &request.subresource)
            && (self.namespace.is_empty() || self.namespace == request.namespace)
            && (self.name.is_empty() || self.name == name)
    }
}

/// `pods`, `vrfs.sixedge.io/status`.
fn resource(group: &str, resource: &str, subresource: &str) -> String {
    let dot = if group.is_empty() { "" } else { "." };
    let slash = if subresource.is_empty() { "" } else { "/" };
    format!("{resource}{dot}{group}{slash}{subresource}")
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// All that the roles bound to an account say.
fn granted(manifests: &[Value], account: &str) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    let bindings = manifests.iter().filter(|object| object["kind"].as_str().unwrap().ends_with("Binding"));
    for binding in bindings.filter(|binding| binding["subjects"][0]["name"] == account) {
        let [kind, name] = ["kind", "name"].map(|key| binding["roleRef"][key].as_str().unwrap());
        let namespace = binding["metadata"]["namespace"].as_str().unwrap_or_default();
        for rule in find(manifests, kind, name)["rules"].as_array().unwrap() {
            rights.extend(rights_of(rule, namespace));
        }
    }
    rights
}

fn rights_of(rule: &Value, namespace: &str) -> Vec<Right> {
    let [groups, resources, verbs, mut names] =
        ["apiGroups", "resources", "verbs", "resourceNames"].map(|key| strings(&rule[key]));
    assert!([&groups, &resources, &verbs].iter().all(|list| !list.contains(&"*".to_owned())), "{rule}");
    if names.is_empty() {
        names.push(String::new());
    }
    let mut rights = Vec::new();
    for group in &groups {
        for whole in &resources {
            let (plural, subresource) = whole.split_once('/').unwrap_or((whole, ""));
            for verb in &verbs {
                rights.extend(names.iter().map(|name| Right {
                    verb: verb.clone(),
                    resource: resource(group, plural, subresource),
                    namespace: namespace.to_owned(),
                    name: name.clone(),
                }));
            }
        }
    }
    rights
}

/// A right that is used only where something is not as usual.
struct Rare {
    account: &'static str,
    verb: &'static str,
    /// How it ends.
    resource: &'static str,
    /// Why it has to be there all the same.
    because: &'static str,
}

const RARE: [Rare; 6] = [
    Rare {
        account: "sixedge-agent",
        verb: "create",
        resource: "nodestates.sixedge.io",
        because: "a patch that creates asks for this right too, and the audit log does not tell of it",
    },
    Rare {
        account: "sixedge-agent",
        verb: "get",
        resource: "pods",
        because: "the runtime calls the CNI plugin before the watch has told of the pod",
    },
    Rare {
        account: "sixedge-agent",
        verb: "get",
        resource: "namespaces",
        because: "as pods: the pod's namespace may be as new",
    },
    Rare {
        account: "sixedge-agent",
        verb: "patch",
        resource: "events.events.k8s.io",
        because: "a BGP session comes up or goes down again and again: its Event is counted up",
    },
    Rare {
        account: "sixedge-controller",
        verb: "patch",
        resource: "events.events.k8s.io",
        because: "an object is refused again and again: its Event is counted up",
    },
    Rare {
        account: "sixedge-controller",
        verb: "get",
        resource: ".sixedge.io",
        because: "somebody else wrote between the watch and the write: the object is read anew",
    },
];

impl Rare {
    fn is(&self, account: &str, right: &Right) -> bool {
        self.account == account && self.verb == right.verb && right.resource.ends_with(self.resource)
    }
}

/// What an account was not granted and asked for, and what it was granted in vain.
fn wrong(account: &str, granted: &BTreeSet<Right>, requests: &[Request]) -> BTreeSet<String> {
    let asked = |request: &&Request| !granted.iter().any(|right| right.allows(request));
    let missing = requests.iter().filter(asked).map(|request| format!("{account} needs {request:?}"));
    let used = |right: &Right| requests.iter().any(|request| right.allows(request));
    let rare = |right: &Right| RARE.iter().any(|rare| rare.is(account, right));
    let idle = granted.iter().filter(|right| !used(right) && !rare(right));
    let idle = idle.map(|right| format!("{account} does not use {right}"));
    let stale = RARE.iter().filter(|rare| rare.account == account);
    let stale = stale.filter(|rare| !granted.iter().any(|right| rare.is(account, right)));
    let stale = stale.map(|rare| format!("{account} is not granted what is needed when {}", rare.because));
    missing.chain(idle).chain(stale).collect()
}

#[test]
fn accounts_may_do_what_they_do_and_no_more() {
    let Some(machine) = Machine::start("rbac") else { return };
    machine.apply(include_str!("busy.yaml"));
    let controller = machine.run("sixedge-controller", |_| {});
    let _peer = Peer::start(&machine);
    let agent = machine.run("sixedge-agent", |_| {});
    let events = || {
        said(machine.kubectl.run("get events.events.k8s.io -n default -o jsonpath={.items[*].reason}", ""))
    };
    let told = ["NotFound", "SessionUp"];
    let settled = || {
        let condition = "get vrf red -o jsonpath={.status.conditions[?(@.type==\"Programmed\")].status}";
        said(machine.kubectl.run(condition, "")) == "True"
            && told.iter().all(|reason| events().contains(reason))
            && agent.ask("ready").is_ok()
    };
    assert!(
        wait_until(PATIENCE, settled),
        "{}{}\n{}\n{}",
        said(machine.kubectl.run("get sixedge", "")),
        events(),
        agent.logs(),
        controller.logs()
    );

    for account in ["sixedge-agent", "sixedge-controller"] {
        let is_its = |request: &Request| request.user.ends_with(&format!(":{account}"));
        let requests: Vec<_> = machine.server.requests().into_iter().filter(is_its).collect();
        assert!(requests.len() > 20, "{account} has asked for nothing");
        let wrong = wrong(account, &granted(&machine.manifests, account), &requests);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
