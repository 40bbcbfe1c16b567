//! What is remembered of a lab that is up: one folder per lab, so that `down` needs no topology file.
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::LabError;
use crate::process::Process;
use crate::topology::Topology;

/// `state.json`; written before anything is made, so that it names all there can be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State {
    pub(crate) lab: String,
    pub(crate) topology: PathBuf,
    /// The test that holds the lab; without it the lab is stale.
    pub(crate) owner: Option<Process>,
    pub(crate) nodes: Vec<NodeState>,
}

/// A node as planned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeState {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) image: String,
    /// Name below `/run/netns`.
    pub(crate) namespace: String,
    pub(crate) has_main: bool,
}

const FILE: &str = "state.json";

/// `$LAB_STATE_DIR`, or `/run/sixedge-lab`.
pub(crate) fn base() -> PathBuf {
    std::env::var_os("LAB_STATE_DIR").map_or_else(|| "/run/sixedge-lab".into(), PathBuf::from)
}

/// The folder of one lab.
pub(crate) fn lab_dir(lab: &str) -> PathBuf {
    base().join(lab)
}

impl State {
    /// Claims the lab's name: of two that try, one gets [`LabError::AlreadyUp`].
    pub(crate) fn claim(&self) -> Result<(), LabError> {
        let dir = self.dir();
        // Written aside and renamed: a lab's folder never exists without its state.
        let aside = base().join(format!(".{}.{}", self.lab, std::process::id()));
        fs::create_dir_all(&aside).map_err(LabError::io("create", &aside))?;
        let path = aside.join(FILE);
        let text =
            serde_json::to_string_pretty(self).map_err(|error| LabError::io("write", &path)(error.into()))?;
        fs::write(&path, text).map_err(LabError::io("write", &path))?;
        fs::rename(&aside, &dir).map_err(|error| {
            let _ = fs::remove_dir_all(&aside);
            self.claim_error(error)
        })
    }

    fn claim_error(&self, error: std::io::Error) -> LabError {
        let dir = self.dir();
        match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists => LabError::AlreadyUp {
                lab: self.lab.clone(),
                topology: Self::read(&dir).map_or_else(|| self.topology.clone(), |state| state.topology),
                state: dir,
            },
            _ => LabError::io("create", &dir)(error),
        }
    }

    pub(crate) fn read(dir: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(dir.join(FILE)).ok()?).ok()
    }

    /// Every lab that is up.
    pub(crate) fn all() -> Vec<Self> {
        let entries = fs::read_dir(base()).into_iter().flatten().flatten();
        entries.filter_map(|entry| Self::read(&entry.path())).collect()
    }

    /// The lab that was started from `file`, or has `name`. The file may have changed or gone since.
    pub(crate) fn find(file: &Path, name: Option<&str>) -> Result<Self, LabError> {
        let path = Topology::locate(file)?;
        let of_file: Vec<Self> = Self::all().into_iter().filter(|state| state.topology == path).collect();
        let found = match (name, of_file.as_slice()) {
            (Some(name), _) => Self::read(&lab_dir(name)),
            (None, [only]) => Some(only.clone()),
            (None, _) => Self::read(&lab_dir(&Topology::read(&path)?.name)),
        };
        found.ok_or_else(|| LabError::NotUp { what: name.map_or(file.display().to_string(), str::to_owned) })
    }

    pub(crate) fn dir(&self) -> PathBuf {
        lab_dir(&self.lab)
    }

    pub(crate) fn node(&self, name: &str) -> Result<&NodeState, LabError> {
        self.nodes.iter().find(|node| node.name == name).ok_or_else(|| LabError::NoSuchNode {
            lab: self.lab.clone(),
            node: name.to_owned(),
            known: self.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The state folder of a node.
    pub(crate) fn node_dir(&self, name: &str) -> PathBuf {
        self.dir().join("nodes").join(name)
    }

    /// A test's lab whose test is gone.
    pub(crate) fn stale(&self) -> bool {
        self.owner.is_some_and(|owner| !owner.alive())
    }
}
