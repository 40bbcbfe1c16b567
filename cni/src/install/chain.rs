//! The plugin at the end of a network configuration list, and out of it.

use std::{
    fs::{self, Permissions},
    path::Path,
};

use serde_json::{Value, json};

use super::{
    InstallError,
    place::{failed, replace},
};

const TYPE: &str = "sixedge-cni";
/// Those that results are written in.
const VERSIONS: [&str; 3] = ["0.4.0", "1.0.0", "1.1.0"];

/// Behind all that is there; once, however often.
pub(super) fn into(path: &Path) -> Result<(), InstallError> {
    let mut list = List::read(path)?;
    let version = list.content.get("cniVersion").and_then(Value::as_str).unwrap_or_default();
    if !VERSIONS.contains(&version) {
        let versions = VERSIONS.join(", ");
        return Err(conflist(path, format!("cniVersion {version:?} is not spoken; write one of {versions}")));
    }
    if list.plugins(path)?.iter().any(is_own) {
        return Ok(());
    }
    list.plugins(path)?.push(json!({ "type": TYPE }));
    list.write(path)
}

/// Leaves the list as it was; one that is gone needs nothing.
pub(super) fn out_of(path: &Path) -> Result<(), InstallError> {
    if !path.exists() {
        return Ok(());
    }
    let mut list = List::read(path)?;
    if !list.plugins(path)?.iter().any(is_own) {
        return Ok(());
    }
    list.plugins(path)?.retain(|plugin| !is_own(plugin));
    list.write(path)
}

fn is_own(plugin: &Value) -> bool {
    plugin.get("type").and_then(Value::as_str) == Some(TYPE)
}

/// A configuration list with whatever else is in it.
struct List {
    content: Value,
    permissions: Permissions,
}

impl List {
    fn read(path: &Path) -> Result<Self, InstallError> {
        let permissions = fs::metadata(path).map_err(failed(path))?.permissions();
        let text = fs::read(path).map_err(failed(path))?;
        let content = serde_json::from_slice(&text)
            .map_err(|error| conflist(path, format!("{error}; it must be a network configuration list")))?;
        Ok(Self { content, permissions })
    }

    fn plugins(&mut self, path: &Path) -> Result<&mut Vec<Value>, InstallError> {
        let plugins = self.content.get_mut("plugins").and_then(Value::as_array_mut);
        plugins.ok_or_else(|| {
            let remedy = "write the configuration as a list (.conflist) to chain plugins";
            conflist(path, format!("there is no list \"plugins\" in it; {remedy}"))
        })
    }

    fn write(self, path: &Path) -> Result<(), InstallError> {
        let text = format!("{:#}\n", self.content);
        replace(path, text.as_bytes(), self.permissions)
    }
}

fn conflist(path: &Path, problem: String) -> InstallError {
    InstallError::Conflist { path: path.to_owned(), problem }
}
