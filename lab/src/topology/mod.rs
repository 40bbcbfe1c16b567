//! A containerlab topology file, read, checked and with all inheritance resolved. No side effects but reading;
//! errors carry `file:line:column`.
mod link;
mod resolve;
mod schema;
mod variables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_saphyr::Location;

pub use link::{Endpoint, Link, LinkEnds};

use crate::LabError;

/// A checked topology.
#[derive(Debug)]
pub struct Topology {
    /// The lab's name.
    pub name: String,
    /// Absolute path of the file.
    pub path: PathBuf,
    /// By name.
    pub nodes: BTreeMap<String, Node>,
    /// In the order of the file.
    pub links: Vec<Link>,
    /// Keys that containerlab knows and lab passes over, each with its place.
    pub warnings: Vec<String>,
    prefix: Option<String>,
}

/// A node with what it inherits from its group, its kind and the defaults.
#[derive(Debug)]
pub struct Node {
    /// Name within the lab.
    pub name: String,
    /// Only `linux`.
    pub kind: String,
    /// Container image; [`crate::image`] maps it to local programs.
    pub image: String,
    /// Words of `cmd`.
    pub cmd: Option<Vec<String>>,
    /// Bind mounts, outermost first.
    pub binds: Vec<Bind>,
    /// Commands to run once links are up.
    pub exec: Vec<Exec>,
    /// Environment of everything that runs in the node.
    pub env: BTreeMap<String, String>,
    /// Below `net.`, by dotted name.
    pub sysctls: BTreeMap<String, String>,
    /// MTU in bytes of this node's links that name none.
    pub mtu: Option<u32>,
}

/// `source:target[:ro]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Bind {
    /// On the host: absolute, without symbolic links.
    pub source: PathBuf,
    /// In the node, absolute.
    pub target: PathBuf,
    /// Mounted read-only.
    pub read_only: bool,
}

/// One entry of `exec`.
#[derive(Debug)]
pub struct Exec {
    /// Words as a shell would split them; no shell runs them.
    pub words: Vec<String>,
    /// `file:line:column`
    pub place: String,
}

impl Topology {
    /// Reads and checks a topology file.
    pub fn read(path: &Path) -> Result<Self, LabError> {
        let path = Self::locate(path)?;
        let text = std::fs::read_to_string(&path).map_err(LabError::io("read the topology", &path))?;
        Self::parse(&path, &text)
    }

    /// The one absolute path of a topology file, which need not exist any more.
    pub(crate) fn locate(path: &Path) -> Result<PathBuf, LabError> {
        let absolute = std::path::absolute(path).map_err(LabError::io("resolve", path))?;
        let (Some(dir), Some(name)) = (absolute.parent(), absolute.file_name()) else { return Ok(absolute) };
        Ok(dir.canonicalize().map(|dir| dir.join(name)).unwrap_or(absolute))
    }

    /// Checks the text of a topology file; relative binds are resolved beside `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, LabError> {
        let places = Places { file: path.to_path_buf() };
        let text = variables::substitute(text, |name| std::env::var(name).ok()).map_err(|(line, name)| {
            let place = format!("{}:{line}", path.display());
            let problem = format!("${name} is not set; export it, or write ${{{name}:=default}}");
            LabError::Topology { place, problem }
        })?;
        let file: schema::File = serde_saphyr::from_str(&text).map_err(|error| places.yaml(&error))?;
        resolve::resolve(file, &places)
    }

    /// Gives the lab another name than the file does.
    pub fn rename(&mut self, name: String) -> Result<(), LabError> {
        resolve::check_name(&name)
            .map_err(|problem| LabError::Topology { place: "the lab's name".into(), problem })?;
        self.name = name;
        Ok(())
    }

    /// Name of a node's network namespace, as containerlab names its containers.
    pub fn container_name(&self, node: &str) -> String {
        match self.prefix.as_deref() {
            None => format!("clab-{}-{node}", self.name),
            Some("") => node.to_owned(),
            Some("__lab-name") => format!("{}-{node}", self.name),
            Some(prefix) => format!("{prefix}-{}-{node}", self.name),
        }
    }
}

/// Makes errors that say where.
struct Places {
    file: PathBuf,
}

impl Places {
    fn at(&self, location: Location) -> String {
        match location == Location::UNKNOWN {
            true => self.file.display().to_string(),
            false => format!("{}:{}:{}", self.file.display(), location.line(), location.column()),
        }
    }

    fn error(&self, location: Location, problem: impl Into<String>) -> LabError {
        LabError::Topology { place: self.at(location), problem: problem.into() }
    }

    fn yaml(&self, error: &serde_saphyr::Error) -> LabError {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        self.error(location, error.without_snippet().to_string())
    }
}

#[cfg(test)]
mod tests;
