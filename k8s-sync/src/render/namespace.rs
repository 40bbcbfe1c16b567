use std::collections::BTreeMap;

use crate::world::Key;

/// What is in a namespace.
pub(super) fn in_namespace<'a, V>(
    objects: &'a BTreeMap<Key, V>,
    namespace: &'a str,
) -> impl Iterator<Item = (&'a Key, &'a V)> {
    objects.range(Key::new(namespace, "")..).take_while(move |(key, _)| key.namespace == namespace)
}
