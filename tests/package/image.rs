use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

use crate::{
    container::programs,
    kubectl::{root, said},
};

/// A folder that is gone when it is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    said(output.unwrap_or_else(|error| panic!("{program}: {error}")))
}

#[test]
fn the_image_has_two_programs_that_run_with_nothing_beside_them() {
    if programs().is_none() {
        return;
    }
    if Command::new("buildah").arg("--version").output().is_err() {
        eprintln!("SKIPPED: the image is not built here: buildah is missing; `make setup` installs it");
        return;
    }
    let folder = Folder(std::env::temp_dir().join(format!("t-package-image-{}", std::process::id())));
    let inside = |name: &str| folder.0.join(name).display().to_string();
    for name in ["oci", "root"] {
        fs::create_dir_all(folder.0.join(name)).unwrap();
    }
    run("scripts/image.sh", &["pack", &inside("image.tar")]);
    run("tar", &["-xf", &inside("image.tar"), "-C", &inside("oci")]);

    let read = |path: &str| -> Value { serde_json::from_slice(&fs::read(inside(path)).unwrap()).unwrap() };
    let blob =
        |descriptor: &Value| descriptor["digest"].as_str().unwrap().replace("sha256:", "oci/blobs/sha256/");
    let manifest = read(&blob(&read("oci/index.json")["manifests"][0]));
    let config = read(&blob(&manifest["config"]));
    assert_eq!(config["config"]["Entrypoint"], json!(["/sixedge"]));
    assert_eq!(config["config"]["Labels"]["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    let [layer] = manifest["layers"].as_array().unwrap().as_slice() else { panic!("{manifest}") };
    let layer = inside(&blob(layer));
    assert!(fs::metadata(&layer).unwrap().len() < 40_000_000, "the image is larger than 40 MB");

    let mut files: Vec<String> = run("tar", &["-tzf", &layer]).lines().map(str::to_owned).collect();
    files.sort();
    assert_eq!(files, ["sixedge", "sixedge-cni"]);
    run("tar", &["-xzf", &layer, "-C", &inside("root")]);
    let version = run("chroot", &[&inside("root"), "/sixedge", "version"]);
    assert_eq!(version.trim(), format!("sixedge {}", env!("CARGO_PKG_VERSION")));
    let version = run("chroot", &[&inside("root"), "/sixedge-cni", "--version"]);
    assert_eq!(version.trim(), format!("sixedge-cni {}", env!("CARGO_PKG_VERSION")));
}
