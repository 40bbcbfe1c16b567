//! Where the benchmark keeps its files and pins, gone at the end of it.

use std::{fs, io, path::PathBuf};

use nix::{
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, unshare},
};

/// A folder with a bpffs in it, mounted for this process and its children only: it cannot outlive them.
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// To be called while the process has one thread.
    pub(crate) fn new() -> io::Result<Self> {
        let none = None::<&str>;
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        let folder = Self { path: std::env::temp_dir().join(format!("bench-{}", std::process::id())) };
        fs::create_dir_all(folder.bpffs())?;
        mount(Some("bpf"), &folder.bpffs(), Some("bpf"), MsFlags::empty(), none)?;
        Ok(folder)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn bpffs(&self) -> PathBuf {
        self.path.join("bpf")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_already = umount2(&self.bpffs(), MntFlags::MNT_DETACH);
        let _gone_already = fs::remove_dir_all(&self.path);
    }
}
