use std::{fs, path::Path};

use serde_json::Value;

/// A request as RBAC sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Who asked.
    pub user: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// Group of the resource; empty for the core's.
    pub group: String,
    /// The resource, in the plural.
    pub resource: String,
    /// Its subresource, or nothing.
    pub subresource: String,
    /// Namespace, or nothing.
    pub namespace: String,
    /// Name, or nothing where none was named. Creates have it here; RBAC does not see it for them.
    pub name: String,
}

/// Requests for objects; discovery and readiness are none.
pub(crate) fn read(log: &Path) -> Vec<Request> {
    let text = fs::read_to_string(log).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter_map(|line: Value| request(&line))
        .collect()
}

fn request(line: &Value) -> Option<Request> {
    let object = line.get("objectRef")?;
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    Some(Request {
        user: text(&line["user"], "username"),
        verb: text(line, "verb"),
        group: text(object, "apiGroup"),
        resource: text(object, "resource"),
        subresource: text(object, "subresource"),
        namespace: text(object, "namespace"),
        name: text(object, "name"),
    })
}
