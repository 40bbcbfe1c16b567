//! The configuration file: YAML text in, [`Intent`] out, or every mistake with its place and remedy.
//!
//! `check` and the agent call [`load`]. The schema is written down in `docs/configuration.md`, one section per file here.

mod administered;
mod attributes;
mod bgp;
mod egress;
mod error;
mod filter;
mod kind;
mod list;
mod neighbor;
mod place;
mod reader;
mod root;
mod route;
mod service;
mod srv6;
mod suggest;
#[cfg(test)]
mod tests;
mod tree;
mod vrf;

use std::path::Path;

use vrf_manager::intent::{self, Intent};

pub(crate) use self::error::ConfigErrors;
use self::{error::Mistake, reader::Reader};

/// Where the file is looked for unless another is named.
pub(crate) const DEFAULT_PATH: &str = "/etc/sixedge/sixedge.yaml";

/// Reads the file at `path`.
pub(crate) fn load(path: &Path) -> Result<Intent, ConfigErrors> {
    let name = path.display().to_string();
    let octets = std::fs::read(path)
        .map_err(|error| ConfigErrors::new(&name, vec![Mistake::unreadable(path, &error)]))?;
    match std::str::from_utf8(&octets) {
        Ok(text) => parse(&name, text),
        Err(error) => Err(ConfigErrors::new(&name, vec![Mistake::not_utf8(&octets, error)])),
    }
}

/// Reads `text`; `name` stands for the file in messages.
pub(crate) fn parse(name: &str, text: &str) -> Result<Intent, ConfigErrors> {
    let (tree, mut mistakes) = tree::parse(text);
    let reader = Reader::default();
    let intent = tree.and_then(|tree| root::read(&reader, &tree));
    // What contradicts itself is looked for once every value reads: before that, it would be guesswork.
    for error in intent.iter().flat_map(intent::check) {
        reader.refuse_path(&error.path, format!("{}; {}", error.problem, error.remedy));
    }
    mistakes.extend(reader.into_mistakes());
    match intent {
        Some(intent) if mistakes.is_empty() => Ok(intent),
        _ => Err(ConfigErrors::new(name, mistakes)),
    }
}
