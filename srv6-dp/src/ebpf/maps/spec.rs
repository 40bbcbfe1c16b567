//! What a map is, and what the kernel's refusals mean.

use std::fmt;

use aya::maps::{MapError, MapInfo, MapType};

use crate::ebpf::error::{EbpfError, map_errno};

/// What a map is, apart from its contents.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::ebpf) struct Spec {
    pub(in crate::ebpf) name: &'static str,
    pub(super) kind: MapType,
    pub(in crate::ebpf) key: u32,
    pub(in crate::ebpf) value: u32,
    pub(in crate::ebpf) entries: u32,
    /// The setting that sizes it.
    pub(in crate::ebpf) setting: &'static str,
}

/// Prints as errors and the hash want it.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {} entries {} -> {}", self.kind, self.entries, self.key, self.value)
    }
}

pub(super) const fn spec(
    name: &'static str,
    kind: MapType,
    key: u32,
    value: u32,
    entries: u32,
    setting: &'static str,
) -> Spec {
    Spec { name, kind, key, value, entries, setting }
}

pub(super) const fn size<T>() -> u32 {
    size_of::<T>() as u32
}

/// Key of an LPM trie: the prefix length and `T`.
pub(super) const fn trie_key<T>() -> u32 {
    4 + size::<T>()
}

impl Spec {
    /// The map as the kernel describes it.
    pub(in crate::ebpf) fn of(&self, found: &MapInfo) -> Result<Self, EbpfError> {
        let kind = found.map_type().map_err(|source| EbpfError::Map { map: self.name, source })?;
        Ok(Self {
            kind,
            key: found.key_size(),
            value: found.value_size(),
            entries: found.max_entries(),
            ..*self
        })
    }

    pub(in crate::ebpf) fn differs_in_size_only(&self, other: &Self) -> bool {
        *self == Self { entries: self.entries, ..*other }
    }

    /// There is no room for another entry.
    pub(in crate::ebpf) const fn full(&self) -> EbpfError {
        EbpfError::Full { map: self.name, size: self.entries, setting: self.setting }
    }

    /// Whether the map was refused for want of room, or for another reason.
    pub(in crate::ebpf) fn error(&self, source: MapError) -> EbpfError {
        let full = matches!(map_errno(&source), Some(libc::ENOSPC | libc::E2BIG))
            || matches!(source, MapError::OutOfBounds { .. });
        if full {
            return self.full();
        }
        EbpfError::Map { map: self.name, source }
    }
}
