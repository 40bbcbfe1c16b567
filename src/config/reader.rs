//! A small combinator reader: every part is read even after a mistake, so that all of them are reported at once.

use std::{cell::RefCell, collections::BTreeMap, fmt::Display};

use super::{
    error::Mistake,
    place::Place,
    suggest,
    tree::{Entry, Node, Value},
};

/// Collects mistakes, and where each path stands in the file.
#[derive(Default)]
pub(super) struct Reader {
    mistakes: RefCell<Vec<Mistake>>,
    places: RefCell<BTreeMap<String, Place>>,
}

/// Something that can be read at a place; `None` once a mistake has been noted.
pub(super) trait Read<T> {
    fn read(&self, at: &At<'_>) -> Option<T>;
}

impl<T, F: Fn(&At<'_>) -> Option<T>> Read<T> for F {
    fn read(&self, at: &At<'_>) -> Option<T> {
        self(at)
    }
}

/// A node on its path.
pub(super) struct At<'a> {
    reader: &'a Reader,
    node: &'a Node,
    path: String,
}

/// A mapping whose keys are known.
pub(super) struct Fields<'a> {
    at: At<'a>,
    entries: &'a [Entry],
}

impl Reader {
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    /// For what is found wrong after reading: the place of `path`, or of the nearest parent that is written.
    pub(super) fn refuse_path(&self, path: &str, problem: String) {
        let places = self.places.borrow();
        let place = ancestors(path).find_map(|path| places.get(path).copied());
        self.mistakes.borrow_mut().push(Mistake { place, path: path.to_owned(), problem });
    }
}

/// `a.b[1].c`, `a.b[1]`, `a.b`, `a` and the empty path.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| match path.rfind(['.', '[']) {
        Some(end) => Some(&path[..end]),
        None if path.is_empty() => None,
        None => Some(""),
    })
}

impl<'a> At<'a> {
    pub(super) fn new(reader: &'a Reader, node: &'a Node, path: String) -> Self {
        reader.places.borrow_mut().insert(path.clone(), node.place);
        Self { reader, node, path }
    }

    /// Notes a mistake here.
    pub(super) fn refuse<T>(&self, problem: impl Display) -> Option<T> {
        self.refuse_at(self.node.place, self.path.clone(), problem.to_string());
        None
    }

    fn refuse_at(&self, place: Place, path: String, problem: String) {
        self.reader.mistakes.borrow_mut().push(Mistake { place: Some(place), path, problem });
    }

    /// The text where a scalar is written.
    pub(super) fn scalar(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// Whether keys and values are written here.
    pub(super) const fn is_mapping(&self) -> bool {
        matches!(self.node.value, Value::Mapping(_))
    }

    /// The text of a scalar, which must be written.
    pub(super) fn text(&self, wanted: &str) -> Option<&'a str> {
        match &self.node.value {
            Value::Scalar(text) => Some(text),
            Value::Refused => None,
            Value::Null => self.refuse(format_args!("has no value; write {wanted}")),
            Value::List(_) => self.refuse(format_args!("is a list; write one value: {wanted}")),
            Value::Mapping(entries) => match entries.as_slice() {
                // In flow style `[fc00::, fc00:1::]` YAML takes the last colon for that of a key.
                [Entry { key, value: Node { value: Value::Null, .. }, .. }] => self
                    .refuse(format_args!("is a mapping; put quotes around what ends in a colon: \"{key}:\"")),
                _ => self.refuse(format_args!("is a mapping; write one value: {wanted}")),
            },
        }
    }

    /// The items of the list here; nothing written is an empty list.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let nodes = match &self.node.value {
            Value::List(nodes) => nodes.as_slice(),
            Value::Null => &[],
            Value::Refused => return None,
            _ => return self.refuse("is not a list; write [a, b] or one \"- item\" per line"),
        };
        let below = |(index, node)| At::new(self.reader, node, format!("{}[{index}]", self.path));
        Some(nodes.iter().enumerate().map(below).collect())
    }

    /// The mapping here, of which only `known` keys may be written, each once. Nothing written is an empty mapping.
    pub(super) fn fields(&self, known: &[&str]) -> Option<Fields<'a>> {
        let entries = match &self.node.value {
            Value::Mapping(entries) => entries.as_slice(),
            Value::Null => &[],
            Value::Refused => return None,
            _ => {
                return self
                    .refuse(format_args!("is not a mapping; write keys and values: {}", known.join(", ")));
            }
        };
        for (index, entry) in entries.iter().enumerate() {
            self.check_key(entry, &entries[..index], known);
        }
        let at = At { reader: self.reader, node: self.node, path: self.path.clone() };
        Some(Fields { at, entries })
    }

    fn check_key(&self, entry: &Entry, before: &[Entry], known: &[&str]) {
        let refuse = |problem| self.refuse_at(entry.place, self.below(&entry.key), problem);
        if let Some(first) = before.iter().find(|first| first.key == entry.key) {
            refuse(format!("is written twice, first on line {}; leave one out", first.place.line));
        } else if !known.contains(&entry.key.as_str()) {
            refuse(match suggest::nearest(&entry.key, known) {
                Some(word) => format!("unknown key; did you mean {word}?"),
                None => format!("unknown key; the keys here are {}", known.join(", ")),
            });
        }
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl<'a> Fields<'a> {
    /// The mapping itself, for mistakes that are nobody's alone.
    pub(super) const fn at(&self) -> &At<'a> {
        &self.at
    }

    /// `None` when the key is not written.
    pub(super) fn find(&self, key: &str) -> Option<At<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(At::new(self.at.reader, &entry.value, self.at.below(key)))
    }

    /// A key that must be written; `example` is the remedy.
    pub(super) fn required<T>(&self, key: &str, example: &str, item: impl Read<T>) -> Option<T> {
        match self.find(key) {
            Some(at) => item.read(&at),
            None => self.at.refuse(format_args!("\"{key}\" is missing; write {example}")),
        }
    }

    /// A key that may be left out.
    pub(super) fn or<T>(&self, key: &str, default: T, item: impl Read<T>) -> Option<T> {
        self.find(key).map_or(Some(default), |at| item.read(&at))
    }

    /// A key that may be left out, and then is nothing.
    pub(super) fn maybe<T>(&self, key: &str, item: impl Read<T>) -> Option<Option<T>> {
        self.find(key).map_or(Some(None), |at| item.read(&at).map(Some))
    }
}
