//! A node from the inside: its namespaces, its file system, its first process, and how others enter it.
//! `up` writes a [`NodeSpec`] and starts `lab internal-node`; everything else of the node follows from that.
pub(crate) mod enter;
pub(crate) mod events;
pub(crate) mod init;
mod main_program;
mod mounts;
mod namespaces;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::LabError;
use crate::image::Main;
use crate::topology::Bind;

pub(crate) use namespaces::create;

/// What the node's first process needs to know; `spec.json` in the node's state folder.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NodeSpec {
    pub(crate) hostname: String,
    /// The tree that the node's own view is laid over.
    pub(crate) root: PathBuf,
    pub(crate) binds: Vec<Bind>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) sysctls: BTreeMap<String, String>,
    pub(crate) main: Option<Main>,
}

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl NodeSpec {
    pub(crate) fn read(dir: &Path) -> Result<Self, LabError> {
        let path = dir.join("spec.json");
        let text = fs::read_to_string(&path).map_err(LabError::io("read", &path))?;
        serde_json::from_str(&text).map_err(|error| LabError::io("understand", &path)(error.into()))
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<(), LabError> {
        let path = dir.join("spec.json");
        let text =
            serde_json::to_string_pretty(self).map_err(|error| LabError::io("write", &path)(error.into()))?;
        fs::write(&path, text).map_err(LabError::io("write", &path))
    }

    /// The environment of whatever runs in the node: a container's, not the caller's.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let base = [("PATH", PATH), ("HOME", "/root"), ("HOSTNAME", self.hostname.as_str())];
        let mut environment: BTreeMap<String, String> =
            base.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        environment.extend(self.env.clone());
        environment
    }
}
