//! Many entries of a trie at once, and one by one where the kernel has no batches for tries.

use std::os::fd::AsFd;

use aya::{
    Pod,
    maps::{LpmTrie, MapData, MapError, lpm_trie::Key},
};

use super::{
    bulk::{CHUNK, Entries},
    sys,
};

/// Below this a batch is not worth its preparation.
const WORTH_IT: usize = 16;
/// The kernel's own errno for an operation that a map type lacks.
const ENOTSUPP: i32 = 524;

/// An LPM trie with a second handle for the batch commands, which aya's does not give out.
#[derive(Debug)]
pub(super) struct Trie<K: Pod> {
    entries: LpmTrie<MapData, K, u32>,
    handle: MapData,
}

impl<K: Pod> Trie<K> {
    pub(super) fn new(entries: LpmTrie<MapData, K, u32>, handle: MapData) -> Self {
        Self { entries, handle }
    }

    /// Writes entries in order; on failure says how many were written.
    pub(super) fn insert(&mut self, keys: &[Key<K>], values: &[u32]) -> Result<(), (usize, MapError)> {
        let mut done = 0;
        while done < keys.len() {
            let end = keys.len().min(done + CHUNK);
            if end - done >= WORTH_IT {
                match sys::update_batch(self.handle.fd().as_fd(), &keys[done..end], &values[done..end]) {
                    Ok(()) => {
                        done = end;
                        continue;
                    }
                    Err(stopped) if unsupported(&stopped.source) => {}
                    Err(stopped) => return Err((done + stopped.done, stopped.source.into())),
                }
            }
            for at in done..end {
                self.entries.insert(&keys[at], values[at], 0).map_err(|error| (at, error))?;
            }
            done = end;
        }
        Ok(())
    }

    /// Removes entries; those that are not there are no fault.
    pub(super) fn remove(&mut self, keys: &[Key<K>]) -> Result<(), MapError> {
        for chunk in keys.chunks(CHUNK) {
            let whole = chunk.len() >= WORTH_IT && sys::delete_batch(self.handle.fd().as_fd(), chunk).is_ok();
            // A batch stops at the first key that is not there: then each by itself.
            if !whole {
                chunk.iter().try_for_each(|key| absent_is_fine(self.entries.remove(key)))?;
            }
        }
        Ok(())
    }

    /// Every entry, straight from the kernel.
    pub(super) fn read(&self) -> Result<Vec<(Key<K>, u32)>, MapError> {
        match Entries::new(&self.handle).collect::<Result<_, _>>() {
            Err(error) if unsupported(&error) => self.entries.iter().collect(),
            entries => entries.map_err(MapError::from),
        }
    }
}

fn unsupported(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS | ENOTSUPP))
}

/// Removing what is not there has the wanted effect.
pub(super) fn absent_is_fine(result: Result<(), MapError>) -> Result<(), MapError> {
    match result {
        Err(error) if super::error::map_errno(&error) == Some(libc::ENOENT) => Ok(()),
        other => other,
    }
}
