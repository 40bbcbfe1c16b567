//! From the file as written to nodes that inherit nothing any more.
//! Precedence as in containerlab: node, group, kind, defaults; lists are joined, maps merged.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_saphyr::{Location, Spanned};

use super::schema::{File, NodeKeys};
use super::{Bind, Exec, Node, Places, Topology, link};
use crate::LabError;

pub(super) fn resolve(file: File, places: &Places) -> Result<Topology, LabError> {
    let name = file
        .name
        .as_ref()
        .ok_or_else(|| places.error(Location::UNKNOWN, "no name; write name: LAB at the top"))?;
    check_name(&name.value).map_err(|problem| places.error(name.referenced, problem))?;
    let mut warnings = Vec::new();
    note(
        &mut warnings,
        &places.file.display().to_string(),
        &[file.unsupported(), file.topology.unsupported()].concat(),
    );
    let mut nodes = BTreeMap::new();
    for (node_name, keys) in &file.topology.nodes {
        let location = keys.as_ref().map_or(Location::UNKNOWN, |keys| keys.referenced);
        check_name(node_name).map_err(|problem| places.error(location, problem))?;
        let layers = Layers::of(keys.as_ref().map(|keys| &keys.value), &file);
        layers.warn(node_name, &places.at(location), &mut warnings);
        nodes.insert(node_name.clone(), layers.node(node_name, location, places)?);
    }
    warnings.dedup();
    let links = link::resolve(&file.topology.links, &nodes, places, &mut warnings)?;
    Ok(Topology {
        name: name.value.clone(),
        path: places.file.clone(),
        nodes,
        links,
        warnings,
        prefix: file.prefix,
    })
}

/// Names become namespaces, host names and folders.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty()
        && name.len() <= 60
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    match fits {
        true => Ok(()),
        false => Err(format!("{name:?} cannot be a name; use 1 to 60 of a-z, A-Z, 0-9, '-', '_', '.'")),
    }
}

pub(super) fn note(warnings: &mut Vec<String>, place: &str, keys: &[&str]) {
    if !keys.is_empty() {
        warnings.push(format!("{place}: lab passes over {} (containerlab acts on it)", keys.join(", ")));
    }
}

/// The layers that one node inherits from, strongest first.
struct Layers<'a>(Vec<(String, &'a NodeKeys)>);

impl<'a> Layers<'a> {
    fn of(node: Option<&'a NodeKeys>, file: &'a File) -> Self {
        let topology = &file.topology;
        let mut layers: Vec<(String, &NodeKeys)> =
            node.map(|keys| ("node".to_owned(), keys)).into_iter().collect();
        let group = node.and_then(|keys| keys.group.as_ref()).or(topology.defaults.group.as_ref());
        if let Some((name, keys)) = group.and_then(|name| topology.groups.get_key_value(name)) {
            layers.push((format!("group {name}"), keys));
        }
        let kind =
            layers.iter().find_map(|(_, keys)| keys.kind.as_deref()).or(topology.defaults.kind.as_deref());
        if let Some((name, keys)) = kind.and_then(|kind| topology.kinds.get_key_value(kind)) {
            layers.push((format!("kind {name}"), keys));
        }
        layers.push(("defaults".to_owned(), &topology.defaults));
        Self(layers)
    }

    fn first<T>(&self, key: impl Fn(&'a NodeKeys) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(|(_, keys)| key(keys))
    }

    fn merged(&self, key: impl Fn(&'a NodeKeys) -> &'a BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.0.iter().rev().flat_map(|(_, keys)| key(keys).clone()).collect()
    }

    fn joined(&self, key: impl Fn(&'a NodeKeys) -> &'a Vec<Spanned<String>>) -> Vec<&'a Spanned<String>> {
        self.0.iter().rev().flat_map(|(_, keys)| key(keys)).collect()
    }

    fn warn(&self, node: &str, place: &str, warnings: &mut Vec<String>) {
        for (layer, keys) in &self.0 {
            let place = if layer == "node" { format!("{place}: node {node}") } else { layer.clone() };
            note(warnings, &place, &keys.unsupported());
        }
    }

    fn node(&self, name: &str, location: Location, places: &Places) -> Result<Node, LabError> {
        let fail = |problem: String| places.error(location, format!("node {name}: {problem}"));
        let kind =
            self.first(|keys| keys.kind.clone()).ok_or_else(|| fail("no kind; write kind: linux".into()))?;
        if kind != "linux" {
            return Err(fail(format!("kind {kind} wants a container engine; lab runs kind: linux only")));
        }
        let image = self
            .first(|keys| keys.image.clone())
            .ok_or_else(|| fail("no image; write image: NAME".into()))?;
        let cmd = self.first(|keys| keys.cmd.as_deref());
        let cmd = cmd
            .map(|cmd| words(cmd).ok_or_else(|| fail(format!("cmd {cmd:?} has an open quote"))))
            .transpose()?;
        let sysctls = self.merged(|keys| &keys.sysctls);
        if let Some(key) = sysctls.keys().find(|key| !key.starts_with("net.")) {
            return Err(fail(format!(
                "sysctl {key} belongs to the whole machine, not to a node; only net.* is set"
            )));
        }
        let binds = self.joined(|keys| &keys.binds);
        let exec = self.joined(|keys| &keys.exec);
        Ok(Node {
            name: name.to_owned(),
            kind,
            image,
            cmd,
            binds: binds.into_iter().map(|bind| parse_bind(bind, places)).collect::<Result<_, _>>()?,
            exec: exec.into_iter().map(|line| parse_exec(line, places)).collect::<Result<_, _>>()?,
            env: self.merged(|keys| &keys.env),
            sysctls,
            mtu: self.first(|keys| keys.mtu),
        })
    }
}

fn words(line: &str) -> Option<Vec<String>> {
    shlex::split(line).filter(|words| !words.is_empty())
}

fn parse_exec(line: &Spanned<String>, places: &Places) -> Result<Exec, LabError> {
    let problem =
        || places.error(line.referenced, format!("exec {:?} is empty or has an open quote", line.value));
    Ok(Exec { words: words(&line.value).ok_or_else(problem)?, place: places.at(line.referenced) })
}

fn parse_bind(bind: &Spanned<String>, places: &Places) -> Result<Bind, LabError> {
    let fail = |problem: String| places.error(bind.referenced, format!("bind {:?}: {problem}", bind.value));
    let mut parts = bind.value.split(':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
        return Err(fail("write HOST_PATH:NODE_PATH or HOST_PATH:NODE_PATH:ro".into()));
    };
    let options = parts.next().unwrap_or_default();
    let unknown = options.split(',').find(|option| !["", "ro", "rw", "z", "Z"].contains(option));
    if let Some(option) = unknown.or(parts.next()) {
        return Err(fail(format!("option {option:?} is unknown; use ro or rw")));
    }
    let target = PathBuf::from(target);
    if !target.is_absolute()
        || target == Path::new("/")
        || target.components().any(|part| part.as_os_str() == "..")
    {
        return Err(fail(format!("{} must be an absolute path below /", target.display())));
    }
    let beside = places.file.parent().unwrap_or(Path::new("/")).join(source);
    let source = beside.canonicalize().map_err(|error| fail(format!("{}: {error}", beside.display())))?;
    Ok(Bind { source, target, read_only: options.split(',').any(|option| option == "ro") })
}
