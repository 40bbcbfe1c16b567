//! The project's topology comes up, with a stand-in for the PE's program.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::common::{LAB, stderr, traces};
use lab::{Progress, Running};

const NAME: &str = "labtest-l3vpn";

#[test]
fn the_underlay_is_whole_and_tenants_are_apart() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../containerlab/l3vpn.clab.yml");
    let stand_in = std::env::temp_dir().join(format!("{NAME}-{}", std::process::id()));
    fs::write(&stand_in, "#!/bin/sh\necho \"$@\"\nexec sleep 1000\n").unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    let up =
        Command::new(LAB).arg("up").arg(&file).args(["--name", NAME]).env("SIXEDGE_BIN", &stand_in).output();
    fs::remove_file(&stand_in).unwrap();
    let up = up.unwrap();
    assert!(up.status.success(), "{}", stderr(&up));
    assert!(!stderr(&up).contains("warning"), "containerlab keys that lab passes over: {}", stderr(&up));

    let lab = Taken(Running::find(&file, Some(NAME)).unwrap());
    let node = |name: &str| lab.0.try_node(name).unwrap();
    assert_eq!(node("pe1").logs(), "agent --config /etc/sixedge/sixedge.yaml\n");
    for to in ["fd00:ff::2", "fd00:ff::9"] {
        node("pe1").check(["ping", "-c1", "-W2", "-I", "fd00:ff::1", to]);
    }
    let addresses = |name: &str| node(name).check(["ip", "-o", "-4", "address", "show", "dev", "eth1"]);
    assert!(addresses("red-ce1").contains("10.0.1.2/24") && addresses("blue-ce1").contains("10.0.1.2/24"));
    assert!(node("rr").check(["vtysh", "-c", "show bgp ipv4 vpn summary"]).contains("fd00:ff::2"));
}

struct Taken(Running);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.down(&Progress::silent()).unwrap();
        assert_eq!(traces(NAME), Vec::<String>::new());
    }
}
