use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::support::{Folder, PLUGIN};

fn plugin(arguments: &[&str]) -> Output {
    Command::new(PLUGIN).args(arguments).output().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn installed_it_is_a_plugin_that_answers_and_replaces_an_older_one_that_runs() {
    let folder = Folder::new();
    let path = folder.path().to_str().unwrap();
    let program = folder.path().join("sixedge-cni");
    fs::write(&program, "older").unwrap();
    assert!(plugin(&["install", path]).status.success());
    assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o7777, 0o755);
    let answer = Command::new(&program).env("CNI_COMMAND", "VERSION").output().unwrap();
    assert!(String::from_utf8_lossy(&answer.stdout).contains("supportedVersions"));
    // A program that runs cannot be written to; it can be replaced, by itself even.
    assert!(Command::new(&program).args(["install", path]).status().unwrap().success());
    assert_eq!(names(folder.path()), ["sixedge-cni"]);
    for _ in 0..2 {
        assert!(plugin(&["uninstall", path]).status.success());
        assert!(names(folder.path()).is_empty());
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let output = plugin(&["install", "/nowhere/at/all"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("/nowhere/at/all"), "{stderr}");
}

#[test]
fn it_is_chained_into_a_list_once_and_out_of_it_again() {
    let folder = Folder::new();
    let list = folder.path().join("10-net.conflist");
    let before = json!({
        "cniVersion": "1.0.0", "name": "net", "disableCheck": true,
        "plugins": [{ "type": "ptp", "ipam": { "type": "host-local" } }, { "type": "portmap" }],
    });
    fs::write(&list, before.to_string()).unwrap();
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).unwrap();
    let arguments = [folder.path().to_str().unwrap(), "--chain-into", list.to_str().unwrap()];
    let mut chained = before.clone();
    chained["plugins"].as_array_mut().unwrap().push(json!({ "type": "sixedge-cni" }));
    for _ in 0..2 {
        assert!(plugin(&[["install"].as_slice(), &arguments].concat()).status.success());
        assert_eq!(read(&list), chained);
    }
    assert_eq!(fs::metadata(&list).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(names(folder.path()), ["10-net.conflist", "sixedge-cni"]);
    for _ in 0..2 {
        assert!(plugin(&[["uninstall"].as_slice(), &arguments].concat()).status.success());
        assert_eq!(read(&list), before);
    }
    fs::remove_file(&list).unwrap();
    assert!(plugin(&[["uninstall"].as_slice(), &arguments].concat()).status.success());
}

#[test]
fn what_is_no_list_stays_as_it_is() {
    let folder = Folder::new();
    let list = folder.path().join("10-net.conflist");
    let lists = [
        ("{", "network configuration list"),
        ("{\"cniVersion\":\"1.0.0\",\"type\":\"ptp\"}", "plugins"),
        ("{\"cniVersion\":\"0.3.1\",\"plugins\":[]}", "0.3.1"),
        ("[]", "cniVersion"),
    ];
    for (text, told) in lists {
        fs::write(&list, text).unwrap();
        let output =
            plugin(&["install", folder.path().to_str().unwrap(), "--chain-into", list.to_str().unwrap()]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && stderr.contains(told) && stderr.contains("10-net.conflist"),
            "{stderr}"
        );
        assert_eq!(fs::read_to_string(&list).unwrap(), text);
    }
}
