use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{
        fd::{AsRawFd, RawFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
};

use nix::{
    fcntl::OFlag,
    sched::{CloneFlags, setns},
};

use super::LinkError;

/// The network namespace of this thread.
const OWN: &str = "/proc/thread-self/ns/net";

/// A container's network namespace.
pub(crate) struct Netns {
    path: PathBuf,
    file: File,
}

impl Netns {
    /// Opens what must be a network namespace, and not the node's.
    pub(crate) fn open(path: &Path) -> Result<Self, LinkError> {
        let problem = |problem: String| LinkError::Netns { path: path.to_owned(), problem };
        // Else a path of a named pipe would be waited at for ever.
        let opened = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
        let netns = Self { path: path.to_owned(), file: opened.map_err(|error| problem(error.to_string()))? };
        if netns.is_own()? {
            return Err(problem("this is the node's own".to_owned()));
        }
        netns.inside(|| ())?;
        Ok(netns)
    }

    /// Does something in the namespace, and comes back.
    pub(crate) fn inside<T>(&self, work: impl FnOnce() -> T) -> Result<T, LinkError> {
        let own = File::open(OWN)?;
        setns(&self.file, CloneFlags::CLONE_NEWNET).map_err(|error| LinkError::Netns {
            path: self.path.clone(),
            problem: format!("not a network namespace, or one that cannot be entered ({error})"),
        })?;
        let done = work();
        setns(own, CloneFlags::CLONE_NEWNET).map_err(io::Error::from)?;
        Ok(done)
    }

    /// Lets the interface have IPv6, which some runtimes turn off for all that are to come.
    pub(crate) fn enable_ipv6(&self, interface: &str) -> Result<(), LinkError> {
        let path = format!("/proc/sys/net/ipv6/conf/{interface}/disable_ipv6");
        self.inside(|| fs::write(path, "0"))?.map_err(LinkError::Socket)
    }

    pub(super) fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    fn is_own(&self) -> io::Result<bool> {
        let (own, it) = (fs::metadata(OWN)?, self.file.metadata()?);
        Ok((own.dev(), own.ino()) == (it.dev(), it.ino()))
    }
}
