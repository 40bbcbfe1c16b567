use std::{collections::BTreeMap, fs, process::Command};

use serde_json::{Value, json};
use testapi::ApiServer;

use crate::kubectl::{Kubectl, at, find, rendered, root, said};

const OVERLAYS: [&str; 2] = ["default", "example"];

/// Templates of pods, by the name of what makes them.
fn templates(objects: &[Value]) -> Vec<(&str, &Value, &Value)> {
    let workloads = objects.iter().filter(|object| !object["spec"]["template"].is_null());
    workloads
        .map(|object| (object["metadata"]["name"].as_str().unwrap(), object, &object["spec"]["template"]))
        .collect()
}

/// All containers of a template.
fn containers(template: &Value) -> Vec<&Value> {
    let lists = ["initContainers", "containers"].map(|list| template["spec"][list].as_array());
    lists.into_iter().flatten().flatten().collect()
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|item| item.as_str().unwrap()).collect()
}

/// Of each object of an overlay which version the API server has. What Secrets have in `stringData` counts as new each time.
fn versions(kubectl: &Kubectl, overlay: &str) -> BTreeMap<String, String> {
    let list: Value =
        serde_json::from_str(&said(kubectl.run(&format!("get -k deploy/overlays/{overlay} -o json"), "")))
            .unwrap();
    let objects = list["items"].as_array().unwrap().iter().filter(|object| object["kind"] != "Secret");
    let versions = objects.map(|object| {
        let [kind, name, version] = ["kind", "metadata/name", "metadata/resourceVersion"]
            .map(|path| at(object, path).as_str().unwrap().to_owned());
        (format!("{kind} {name}"), version)
    });
    versions.collect()
}

#[test]
fn overlays_are_applied_and_applied_again_without_a_change() {
    let Some(server) = ApiServer::start() else { return };
    let Some(kubectl) = Kubectl::of(&server) else { return };
    said(kubectl.run("create namespace default", ""));
    for overlay in OVERLAYS {
        kubectl.install(overlay);
        let before = versions(&kubectl, overlay);
        said(kubectl.run(&format!("apply --server-side -k deploy/overlays/{overlay}"), ""));
        assert_eq!(versions(&kubectl, overlay), before, "{overlay} changes what it has applied");
        // Only whole objects are held against Kubernetes' own types with nothing left over.
        said(
            kubectl
                .run(&format!("replace --dry-run=server --validate=strict -k deploy/overlays/{overlay}"), ""),
        );
    }
}

#[test]
fn a_field_that_kubernetes_does_not_know_is_refused() {
    let Some(server) = ApiServer::start() else { return };
    let Some(kubectl) = Kubectl::of(&server) else { return };
    let mut agent = find(&rendered("overlays/default").unwrap(), "DaemonSet", "sixedge-agent").clone();
    agent["spec"]["template"]["spec"]["hostNetwrk"] = json!(true);
    said(kubectl.run("create namespace sixedge-system", ""));
    let created = kubectl.run("create --dry-run=server --validate=strict -f -", &agent.to_string());
    let why = String::from_utf8_lossy(&created.stderr).into_owned();
    assert!(!created.status.success() && why.contains("hostNetwrk"), "{why}");
}

#[test]
fn labels_accounts_and_roles_belong_together() {
    let Some(objects) = rendered("overlays/default") else { return };
    for (name, workload, template) in templates(&objects) {
        let selector = &workload["spec"]["selector"]["matchLabels"];
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&template["metadata"]["labels"][key], value, "{name} does not select its own pods");
        }
        let account = at(template, "spec/serviceAccountName").as_str().unwrap();
        find(&objects, "ServiceAccount", account);
        assert_eq!(account, name);
    }
    let budget = find(&objects, "PodDisruptionBudget", "sixedge-controller");
    let controller = find(&objects, "Deployment", "sixedge-controller");
    assert_eq!(budget["spec"]["selector"], controller["spec"]["selector"]);
    for binding in objects.iter().filter(|object| object["kind"].as_str().unwrap().ends_with("Binding")) {
        let role = &binding["roleRef"];
        find(&objects, role["kind"].as_str().unwrap(), role["name"].as_str().unwrap());
        for subject in binding["subjects"].as_array().unwrap() {
            let account =
                find(&objects, subject["kind"].as_str().unwrap(), subject["name"].as_str().unwrap());
            assert_eq!(account["metadata"]["namespace"], subject["namespace"]);
        }
    }
}

#[test]
fn every_container_has_the_image_of_this_version_and_as_few_rights_as_can_be() {
    let Some(objects) = rendered("overlays/default") else { return };
    let image = format!("localhost/sixedge:{}", env!("CARGO_PKG_VERSION"));
    for (name, _, template) in templates(&objects) {
        for container in containers(template) {
            assert_eq!(container["image"], image, "{name}: deploy/overlays/default says another version");
            let rights = &container["securityContext"];
            assert_eq!(rights["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(rights["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(at(rights, "capabilities/drop"), &json!(["ALL"]), "{name}");
            assert!(rights["privileged"].is_null(), "{name}");
            assert!(!at(container, "resources/requests/memory").is_null(), "{name}");
        }
    }
}

#[test]
fn the_programs_know_the_words_that_containers_start_them_with() {
    let Some(objects) = rendered("overlays/default") else { return };
    for (name, _, template) in templates(&objects) {
        for container in containers(template) {
            let probes = ["startupProbe", "livenessProbe", "readinessProbe"];
            let probes = probes.map(|probe| strings(at(container, &format!("{probe}/exec/command"))));
            let commands = [strings(&container["command"])].into_iter().chain(probes);
            for command in commands.filter(|command| !command.is_empty()) {
                let help = help(&command);
                for flag in command.iter().filter(|word| word.starts_with("--")) {
                    assert!(help.contains(flag), "{name}: {} does not know {flag}\n{help}", command[0]);
                }
            }
        }
    }
}

/// What the program says of the verb.
fn help(command: &[&str]) -> String {
    let program =
        root().join(env!("CARGO_BIN_EXE_sixedge")).with_file_name(command[0].trim_start_matches('/'));
    let asked = Command::new(&program).args([command[1], "--help"]).output();
    said(asked.unwrap_or_else(|error| panic!("{}: {error}; cargo build first", program.display())))
}

#[test]
fn every_definition_is_among_what_is_installed() {
    let Some(objects) = rendered("crds") else { return };
    let files = fs::read_dir(root().join("deploy/crds")).unwrap().count();
    assert_eq!(objects.len(), files - 1, "deploy/crds/kustomization.yaml does not list them all");
}

#[test]
fn where_the_runtime_refuses_bpf_one_component_helps() {
    let text = format!(
        "resources: [{0}/base]\ncomponents: [{0}/components/seccomp-unconfined]\n",
        root().join("deploy").display()
    );
    let Some(kubectl) = testapi::kubectl() else { return };
    // kustomize takes paths that are relative only.
    let folder = root().join("target/package-test");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("kustomization.yaml"), text.replace(&root().display().to_string(), "../.."))
        .unwrap();
    let rendered = said(Command::new(kubectl).arg("kustomize").arg(&folder).output().unwrap());
    let objects: Vec<Value> = serde_saphyr::from_multiple(&rendered).unwrap();
    let profile = at(
        find(&objects, "DaemonSet", "sixedge-agent"),
        "spec/template/spec/containers/0/securityContext/seccompProfile",
    );
    assert_eq!(profile, &json!({"type": "Unconfined"}));
}
