use std::collections::BTreeSet;

use super::reader::{At, Read};

/// A list of what `item` reads.
pub(super) fn list<T>(item: impl Read<T>) -> impl Fn(&At<'_>) -> Option<Vec<T>> {
    move |at| {
        // Every item is read before the first mistake ends it.
        let items: Vec<Option<T>> = at.items()?.iter().map(|at| item.read(at)).collect();
        items.into_iter().collect()
    }
}

/// As [`list`], in which nothing may be written twice; in the order of the file.
pub(super) fn unique<T: PartialEq>(item: impl Read<T>) -> impl Fn(&At<'_>) -> Option<Vec<T>> {
    move |at| {
        let (mut list, mut whole) = (Vec::new(), true);
        for at in at.items()? {
            match item.read(&at) {
                Some(item) if !list.contains(&item) => list.push(item),
                Some(_) => whole = at.refuse("is in the list already; leave one out").unwrap_or(false),
                None => whole = false,
            }
        }
        whole.then_some(list)
    }
}

/// As [`unique`], where order says nothing.
pub(super) fn set<T: Ord>(item: impl Read<T>) -> impl Fn(&At<'_>) -> Option<BTreeSet<T>> {
    let list = unique(item);
    move |at| Some(list(at)?.into_iter().collect())
}

/// A list of `items` with at least one; `write` is the remedy.
pub(super) fn some<T>(items: impl Read<Vec<T>>, write: &'static str) -> impl Fn(&At<'_>) -> Option<Vec<T>> {
    move |at| match items.read(at)? {
        items if items.is_empty() => at.refuse(format_args!("is empty; write {write}")),
        items => Some(items),
    }
}
