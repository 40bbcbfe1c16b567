//! `deploy/crds` is what `sixedge crds` prints.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// By the plural name of the kind.
fn printed() -> BTreeMap<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_sixedge")).arg("crds").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let documents = text.split("---\n").filter(|document| !document.is_empty());
    let named = documents.map(|document| {
        let name = document.lines().find_map(|line| line.strip_prefix("  name: ")).unwrap();
        (name.strip_suffix(".sixedge.io").unwrap().to_owned(), document.to_owned())
    });
    named.collect()
}

fn committed() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/crds");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let definitions = paths.filter(|path| path.file_name().unwrap() != "kustomization.yaml");
    definitions
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

#[test]
fn the_committed_definitions_are_those_of_the_program() {
    let (printed, committed) = (printed(), committed());
    let names = |definitions: &BTreeMap<String, String>| definitions.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&printed), "run scripts/crds.sh");
    for (name, text) in printed {
        assert!(committed[&name] == text, "deploy/crds/{name}.yaml is out of date; run scripts/crds.sh");
    }
}

#[test]
fn what_is_printed_is_yaml_for_the_definitions() {
    for (name, text) in printed() {
        let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        let crd = k8s_sync::crds().into_iter().find(|crd| crd.spec.names.plural == name).unwrap();
        let read = serde_json::from_value(read).unwrap();
        assert_eq!(crd, read, "{name}");
    }
}
