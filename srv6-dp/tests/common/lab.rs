//! A PE of its own: network and mount namespaces of the test's thread, with a BPF file system. All of it goes with
//! the thread, also when the test fails.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};
use srv6_dp::{
    ebpf::{Options, Sizes},
    model::IfIndex,
};

/// Small maps, so that a full one is within reach.
pub(crate) const SIZES: Sizes = Sizes {
    routes: 4096,
    next_hops: 256,
    circuits: 64,
    sids: 64,
    vrfs: 16,
    services: 64,
    backends: 256,
    maglev_rows: 2048,
};

pub(crate) struct Lab {
    bpffs: PathBuf,
}

impl Lab {
    pub(crate) fn new() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests load programs into the kernel: run them as root"
        );
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let bpffs = std::env::temp_dir().join(format!("dp-{}-{number}", std::process::id()));
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        fs::create_dir_all(&bpffs).unwrap();
        mount(Some("bpf"), &bpffs, Some("bpf"), MsFlags::empty(), none).unwrap();
        let lab = Self { bpffs };
        lab.ip("link set lo up");
        lab
    }

    pub(crate) fn options(&self) -> Options {
        Options { pin_dir: self.bpffs.join("sixedge"), sizes: SIZES, ..Options::default() }
    }

    pub(crate) fn index(&self, name: &str) -> IfIndex {
        IfIndex(nix::net::if_::if_nametoindex(name).unwrap())
    }

    pub(crate) fn ip(&self, arguments: &str) -> String {
        run(Command::new("ip").args(arguments.split_whitespace()))
    }
}

/// Runs a command that has to succeed; its output.
pub(crate) fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{stdout}{stderr}");
    stdout.into_owned()
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = umount2(&self.bpffs, MntFlags::MNT_DETACH);
        let _ = fs::remove_dir(&self.bpffs);
    }
}
