//! What survives the process, below the pin directory on bpffs:
//!
//! ```text
//! v<hash>/FIB4 ...         the maps of one layout (a generation)
//! maps -> v<hash>          the generation in force
//! links/circuit-7          TCX link of interface 7
//! filters/core-3           program of the clsact filter of interface 3
//! flows/v1-44-40/7         flow table of VRF 7; the folder names the layout
//! ```

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use aya::programs::TcAttachType;
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    sys::statfs::{BPF_FS_MAGIC, statfs},
};

use super::error::EbpfError;
use crate::model::IfIndex;

/// On which side of the PE an interface is; names its program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Attachment circuit, towards a tenant.
    Circuit,
    /// The same interface, for what leaves by it.
    CircuitEgress,
    /// Towards the SRv6 domain.
    Core,
}

impl Role {
    pub(super) const ALL: [Self; 3] = [Self::Circuit, Self::CircuitEgress, Self::Core];

    /// The program of this side.
    pub(super) const fn program(self) -> &'static str {
        match self {
            Self::Circuit => "circuit_ingress",
            Self::CircuitEgress => "circuit_egress",
            Self::Core => "core_ingress",
        }
    }

    pub(super) const fn direction(self) -> TcAttachType {
        match self {
            Self::Circuit | Self::Core => TcAttachType::Ingress,
            Self::CircuitEgress => TcAttachType::Egress,
        }
    }

    /// The word in pin names and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Circuit => "circuit",
            Self::CircuitEgress => "egress",
            Self::Core => "core",
        }
    }
}

/// How a program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mechanism {
    /// A TCX link, kernel 6.6 and later.
    Tcx,
    /// A filter of the clsact qdisc.
    Clsact,
}

impl Mechanism {
    const ALL: [Self; 2] = [Self::Tcx, Self::Clsact];

    const fn folder(self) -> &'static str {
        match self {
            Self::Tcx => "links",
            Self::Clsact => "filters",
        }
    }
}

/// One pinned attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    /// Side.
    pub role: Role,
    /// Interface.
    pub interface: IfIndex,
    /// How.
    pub mechanism: Mechanism,
}

/// The pin directory, held by this process alone.
pub(super) struct Pins {
    root: PathBuf,
    /// The kernel lets go of it when the process ends, in whatever way.
    _lock: Flock<fs::File>,
}

impl Pins {
    /// Makes the directories; refuses a root that is not on bpffs.
    pub(super) fn new(root: &Path) -> Result<Self, EbpfError> {
        let there = root.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
        let kind = statfs(there).map_err(|errno| EbpfError::pin(there)(errno.into()))?.filesystem_type();
        if kind != BPF_FS_MAGIC {
            return Err(EbpfError::NoBpffs { path: there.to_owned() });
        }
        make_dir(root)?;
        let pins = Self { root: root.to_owned(), _lock: lock(root)? };
        for folder in Mechanism::ALL.map(Mechanism::folder) {
            make_dir(&pins.root.join(folder))?;
        }
        Ok(pins)
    }

    /// The generation in force, if any.
    pub(super) fn current(&self) -> Result<Option<String>, EbpfError> {
        let path = self.root.join("maps");
        match fs::read_link(&path) {
            Ok(target) => Ok(Some(target.to_string_lossy().into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EbpfError::pin(path)(error)),
        }
    }

    /// Puts a generation in force, in one step.
    pub(super) fn set_current(&self, generation: &str) -> Result<(), EbpfError> {
        let (path, new) = (self.root.join("maps"), self.root.join("maps-new"));
        remove(&new)?;
        symlink(generation, &new).map_err(EbpfError::pin(&new))?;
        fs::rename(&new, &path).map_err(EbpfError::pin(path))
    }

    /// Makes an empty generation; what a torn earlier attempt left there goes.
    pub(super) fn make_generation(&self, generation: &str) -> Result<(), EbpfError> {
        self.remove_generation(generation)?;
        make_dir(&self.root.join(generation))
    }

    /// Unpins the maps of every generation but `keep`. Programs that still run on them keep them alive.
    pub(super) fn keep_only(&self, keep: &str) -> Result<(), EbpfError> {
        let names = names(&self.root)?;
        names
            .iter()
            .filter(|name| name.starts_with('v') && *name != keep)
            .try_for_each(|name| self.remove_generation(name))
    }

    /// Removes every pin and the directory itself.
    pub(super) fn dismantle(&self) -> Result<(), EbpfError> {
        fs::remove_dir_all(&self.root).map_err(EbpfError::pin(&self.root))
    }

    fn remove_generation(&self, generation: &str) -> Result<(), EbpfError> {
        let path = self.root.join(generation);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EbpfError::pin(path)(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn map(&self, generation: &str, name: &str) -> PathBuf {
        self.root.join(generation).join(name)
    }

    /// The flow tables by layout. They are in no generation: flows outlive the layout of other maps.
    pub(super) fn flows(&self) -> PathBuf {
        self.root.join("flows")
    }

    pub(super) fn attachment(&self, attachment: Attachment) -> PathBuf {
        let Attachment { role, interface, mechanism } = attachment;
        self.root.join(mechanism.folder()).join(format!("{}-{}", role.word(), interface.0))
    }

    /// Every pinned attachment, live or not.
    pub(super) fn attachments(&self) -> Result<Vec<Attachment>, EbpfError> {
        let mut found = Vec::new();
        for mechanism in Mechanism::ALL {
            let names = names(&self.root.join(mechanism.folder()))?;
            found.extend(names.iter().filter_map(|name| parse(name, mechanism)));
        }
        found.sort();
        Ok(found)
    }

    /// How the interface is attached on this side, if it is.
    pub(super) fn find(&self, role: Role, interface: IfIndex) -> Option<Attachment> {
        Mechanism::ALL
            .map(|mechanism| Attachment { role, interface, mechanism })
            .into_iter()
            .find(|attachment| self.attachment(*attachment).exists())
    }

    pub(super) fn forget(&self, attachment: Attachment) -> Result<(), EbpfError> {
        remove(&self.attachment(attachment))
    }
}

/// Two writers would each take the other's next hops for free slots.
fn lock(root: &Path) -> Result<Flock<fs::File>, EbpfError> {
    let directory = fs::File::open(root).map_err(EbpfError::pin(root))?;
    Flock::lock(directory, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        Errno::EWOULDBLOCK => EbpfError::InUse { path: root.to_owned() },
        errno => EbpfError::pin(root)(errno.into()),
    })
}

fn parse(name: &str, mechanism: Mechanism) -> Option<Attachment> {
    let (word, index) = name.split_once('-')?;
    let role = Role::ALL.into_iter().find(|role| role.word() == word)?;
    Some(Attachment { role, interface: IfIndex(index.parse().ok()?), mechanism })
}

pub(super) fn make_dir(path: &Path) -> Result<(), EbpfError> {
    fs::create_dir_all(path).map_err(EbpfError::pin(path))
}

pub(super) fn remove(path: &Path) -> Result<(), EbpfError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EbpfError::pin(path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn names(path: &Path) -> Result<Vec<String>, EbpfError> {
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(EbpfError::pin(path))?;
    Ok(entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}
