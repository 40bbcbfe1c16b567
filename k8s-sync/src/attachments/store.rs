use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use cni::protocol::{AttachmentId, PodRef};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    folder::{Folder, Unreadable},
    ipam,
};
use crate::render::Attached;

/// Holds no attachment: its name has no `@`.
const CURSORS: &str = "cursors";

/// Pods' interfaces on this node, and addresses kept for those to come. Every change is on disk before it is told.
#[derive(Debug)]
pub struct Attachments {
    folder: Folder,
    attached: BTreeMap<AttachmentId, Attached>,
    reserved: BTreeMap<AttachmentId, Reserved>,
    /// The address that was given last, by VRF and block.
    cursors: BTreeMap<(String, IpNet), IpAddr>,
    /// Reservations whose interface was not there when it was last looked for.
    unseen: BTreeSet<AttachmentId>,
}

/// Addresses that are kept for an interface to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reserved {
    /// Which.
    pub id: AttachmentId,
    /// `name` of the network configuration.
    pub network: String,
    /// Whose.
    pub pod: PodRef,
    /// The VRF.
    pub vrf: String,
    /// The addresses.
    pub addresses: Vec<IpAddr>,
}

/// What a file holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Entry {
    Reserved(Reserved),
    Attached(Attached),
}

/// What the disk held.
#[derive(Debug)]
pub struct Loaded {
    /// The attachments.
    pub attachments: Attachments,
    /// Files that were no attachments, for the log.
    pub problems: Vec<String>,
}

/// Why something could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk.
    #[error("{}: {source}; the agent must be able to write there (--state-dir names another folder)", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No address is free.
    #[error(
        "every address of {block} in VRF {vrf} is taken; widen the Vrf's podNetwork, or let nodes have larger blocks of it (nodePrefixLength)"
    )]
    Exhausted {
        /// The node's block.
        block: IpNet,
        /// The VRF.
        vrf: String,
    },
}

/// Addresses that were given to an interface, there or to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'a> {
    pub(super) vrf: &'a str,
    pub(super) pod: &'a PodRef,
    pub(super) addresses: &'a [IpAddr],
}

/// What went with an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Released {
    /// Nothing was there.
    Nothing,
    /// Addresses only.
    Reservation,
    /// A circuit.
    Circuit,
}

impl Attachments {
    /// Reads what is kept in the folder.
    pub fn load(folder: &Path) -> Result<Loaded, StoreError> {
        let failed = |source| StoreError::Io { path: folder.to_owned(), source };
        let disk = Folder::open(folder).map_err(failed)?;
        let (entries, unreadable) = disk.read_all::<Entry>(CURSORS).map_err(failed)?;
        let cursors = disk.read::<Vec<_>>(CURSORS).unwrap_or_default().into_iter().collect();
        let (attached, reserved) = (BTreeMap::new(), BTreeMap::new());
        let mut attachments = Self { folder: disk, attached, reserved, cursors, unseen: BTreeSet::new() };
        for entry in entries {
            match entry {
                Entry::Reserved(it) => drop(attachments.reserved.insert(it.id.clone(), it)),
                Entry::Attached(it) => drop(attachments.attached.insert(it.attachment.id.clone(), it)),
            }
        }
        Ok(Loaded { attachments, problems: unreadable.iter().map(problem).collect() })
    }

    /// Interfaces that are there.
    pub const fn attached(&self) -> &BTreeMap<AttachmentId, Attached> {
        &self.attached
    }

    /// Addresses that are kept for interfaces to come.
    pub const fn reserved(&self) -> &BTreeMap<AttachmentId, Reserved> {
        &self.reserved
    }

    /// Lets go of interfaces that are not there any more; of reservations when their interface was not there the last time either,
    /// for it may just be being made. Whether circuits have gone.
    ///
    /// To be called at the start, and every minute or so: a DEL that found no agent is made up for by this.
    pub fn sweep(&mut self, is_there: impl Fn(&str) -> bool) -> Result<bool, StoreError> {
        let gone = |it: &&Attached| !is_there(&it.attachment.host_interface);
        let circuits: Vec<_> =
            self.attached.values().filter(gone).map(|it| it.attachment.id.clone()).collect();
        let missing = |id: &&AttachmentId| !is_there(&cni::protocol::host_interface(id));
        let unseen: BTreeSet<_> = self.reserved.keys().filter(missing).cloned().collect();
        let twice: Vec<_> = unseen.intersection(&self.unseen).cloned().collect();
        self.unseen = unseen;
        for id in circuits.iter().chain(&twice) {
            self.release(id)?;
        }
        Ok(!circuits.is_empty())
    }

    /// The addresses that we gave to an interface.
    pub(super) fn kept(&self, id: &AttachmentId) -> Option<Kept<'_>> {
        let reserved = self.reserved.get(id);
        let reserved = reserved.map(|it| Kept { vrf: &it.vrf, pod: &it.pod, addresses: &it.addresses });
        let attached = || self.attached.get(id).filter(|it| it.attachment.reserved);
        reserved.or_else(|| {
            let Attached { vrf, attachment } = attached()?;
            Some(Kept { vrf, pod: &attachment.pod, addresses: &attachment.addresses })
        })
    }

    /// Addresses for an interface to come, one of each block.
    pub(super) fn reserve(&mut self, ask: Reserved, blocks: &[IpNet]) -> Result<&Reserved, StoreError> {
        let taken = self.taken(&ask.vrf);
        let mut cursors = self.cursors.clone();
        let mut addresses = Vec::new();
        for block in blocks {
            let cursor = cursors.entry((ask.vrf.clone(), *block)).or_insert_with(|| block.network());
            let exhausted = || StoreError::Exhausted { block: *block, vrf: ask.vrf.clone() };
            *cursor = ipam::next(block, Some(*cursor), &taken).ok_or_else(exhausted)?;
            addresses.push(*cursor);
        }
        let (id, entry) = (ask.id.clone(), Reserved { addresses, ..ask });
        self.write(CURSORS, &cursors.iter().collect::<Vec<_>>())?;
        self.write(&name(&id), &Entry::Reserved(entry.clone()))?;
        self.cursors = cursors;
        Ok(self.reserved.entry(id).insert_entry(entry).into_mut())
    }

    /// The interface is there. What was reserved for it is its own now.
    pub(super) fn attach(&mut self, entry: Attached) -> Result<(), StoreError> {
        let id = entry.attachment.id.clone();
        self.write(&name(&id), &Entry::Attached(entry.clone()))?;
        self.reserved.remove(&id);
        self.attached.insert(id, entry);
        Ok(())
    }

    /// Lets go of the interface and its addresses.
    pub(super) fn release(&mut self, id: &AttachmentId) -> Result<Released, StoreError> {
        let released = match (self.attached.contains_key(id), self.reserved.contains_key(id)) {
            (true, _) => Released::Circuit,
            (false, true) => Released::Reservation,
            (false, false) => return Ok(Released::Nothing),
        };
        self.folder.remove(&name(id)).map_err(|source| self.failed(source))?;
        self.attached.remove(id);
        self.reserved.remove(id);
        Ok(released)
    }

    /// Every address that somebody has in the VRF.
    fn taken(&self, vrf: &str) -> BTreeSet<IpAddr> {
        let attached = self.attached.values().filter(|it| it.vrf == vrf);
        let reserved = self.reserved.values().filter(|it| it.vrf == vrf);
        let attached = attached.flat_map(|it| &it.attachment.addresses);
        attached.chain(reserved.flat_map(|it| &it.addresses)).copied().collect()
    }

    fn write<T: Serialize>(&self, name: &str, content: &T) -> Result<(), StoreError> {
        self.folder.write(name, content).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> StoreError {
        StoreError::Io { path: self.folder.path().to_owned(), source }
    }
}

/// A container's name has no `@`, so no two ids share a file.
fn name(id: &AttachmentId) -> String {
    format!("{}@{}", id.container, id.interface)
}

fn problem(unreadable: &Unreadable) -> String {
    let Unreadable { path, error } = unreadable;
    format!(
        "{}: {error}; it is no attachment of this version: recreate the pod that it was of",
        path.display()
    )
}
