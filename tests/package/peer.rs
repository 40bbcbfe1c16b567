//! A BGP peer beyond the core interface.

use std::{
    fs,
    process::{Child, Command, Stdio},
};

use crate::container::{Machine, Netns};

const CONFIG: &str = r#"
router: { asn: 65000, routerId: 10.255.0.9 }
bgp: { neighbors: [{ address: "fd00:c:1::1", asn: 65000, families: [vpnv4, vpnv6] }] }
"#;

/// Another sixedge, at fd00:c:1::9.
pub(crate) struct Peer {
    process: Child,
    _netns: Netns,
}

impl Peer {
    pub(crate) fn start(machine: &Machine) -> Self {
        let netns = Netns(format!("{}-p", machine.netns.0));
        netns.ip(&format!("netns add {}", netns.0));
        machine.netns.ip(&format!("-n {} link set core netns {}", machine.netns.0, netns.0));
        for words in ["link set lo up", "address add fd00:c:1::9/64 dev core nodad", "link set core up"] {
            netns.ip(&format!("-n {} {words}", netns.0));
        }
        let file = |name: &str| machine.folder.join("peer").join(name);
        fs::create_dir_all(file("state")).unwrap();
        fs::write(file("config"), CONFIG).unwrap();
        let mut agent = Command::new("ip");
        agent.args(["netns", "exec", &netns.0, env!("CARGO_BIN_EXE_sixedge"), "agent"]);
        agent.arg("--config").arg(file("config")).arg("--state-dir").arg(file("state"));
        agent.arg("--pin-dir").arg(machine.folder.join("bpffs/peer")).arg("--socket").arg(file("socket"));
        let process = agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { process, _netns: netns }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
