//! A map whose entries are read and written many at a time: a hash or an array, which know batches since kernel 5.6, so
//! before any kernel that the programs run on.

use std::{io, marker::PhantomData, os::fd::AsFd, os::fd::BorrowedFd, path::Path};

use aya::{
    Pod,
    maps::{MapData, MapError, MapInfo},
};

use super::{error::EbpfError, maps::Spec, sys};

/// Entries of one system call: beyond this, larger batches no longer gain.
pub(super) const CHUNK: usize = 4096;

pub(super) struct Bulk<K, V> {
    map: MapData,
    pub(super) spec: Spec,
    entries: PhantomData<(K, V)>,
}

impl<K: Pod, V: Pod> Bulk<K, V> {
    /// `spec` says what the map is; keys and values are of its sizes.
    pub(super) fn new(map: MapData, spec: Spec) -> Self {
        Self { map, spec, entries: PhantomData }
    }

    /// Opens a pinned map; `None` where it is not what `spec` says but for the number of entries, which is the map's own.
    pub(super) fn open(path: &Path, spec: Spec) -> Result<Option<Self>, EbpfError> {
        let info = MapInfo::from_pin(path).map_err(|source| spec.error(source))?;
        let found = spec.of(&info)?;
        if !found.differs_in_size_only(&spec) {
            return Ok(None);
        }
        let map = MapData::from_pin(path).map_err(|source| spec.error(source))?;
        Ok(Some(Self::new(map, found)))
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.map.fd().as_fd()
    }

    /// The kernel's id of the map.
    pub(super) fn id(&self) -> Result<u32, EbpfError> {
        Ok(self.map.info().map_err(|source| self.spec.error(source))?.id())
    }

    pub(super) fn get(&self, key: &K) -> Result<Option<V>, EbpfError> {
        sys::lookup_entry(self.fd(), key).map_err(|source| self.error(source))
    }

    pub(super) fn set(&self, key: &K, value: &V) -> Result<(), EbpfError> {
        sys::update_entry(self.fd(), key, value, false).map(drop).map_err(|source| self.error(source))
    }

    /// Sets an entry where there is none.
    pub(super) fn set_new(&self, key: &K, value: &V) -> Result<(), EbpfError> {
        sys::update_entry(self.fd(), key, value, true).map(drop).map_err(|source| self.error(source))
    }

    pub(super) fn remove(&self, key: &K) -> Result<(), EbpfError> {
        sys::delete_entry(self.fd(), key).map_err(|source| self.error(source))
    }

    /// Writes entries in order; on failure says how many were written.
    pub(super) fn write(&self, keys: &[K], values: &[V]) -> Result<(), (usize, EbpfError)> {
        for (at, (keys, values)) in keys.chunks(CHUNK).zip(values.chunks(CHUNK)).enumerate() {
            sys::update_batch(self.fd(), keys, values)
                .map_err(|stopped| (at * CHUNK + stopped.done, self.error(stopped.source)))?;
        }
        Ok(())
    }

    /// Every entry, straight from the kernel.
    pub(super) fn read(&self) -> impl Iterator<Item = Result<(K, V), EbpfError>> {
        Entries::new(&self.map).map(|entry| entry.map_err(|source| self.error(source)))
    }

    fn error(&self, source: io::Error) -> EbpfError {
        self.spec.error(MapError::from(source))
    }
}

/// Goes through a map by batches.
pub(super) struct Entries<'a, K, V> {
    map: &'a MapData,
    after: Option<K>,
    keys: Vec<K>,
    values: Vec<V>,
    /// Next of those read.
    at: usize,
    read: usize,
    more: bool,
}

impl<'a, K: Pod, V: Pod> Entries<'a, K, V> {
    pub(super) fn new(map: &'a MapData) -> Self {
        let (keys, values) = (vec![sys::zeroed(); CHUNK], vec![sys::zeroed(); CHUNK]);
        Self { map, after: None, keys, values, at: 0, read: 0, more: true }
    }
}

impl<K: Pod, V: Pod> Iterator for Entries<'_, K, V> {
    type Item = io::Result<(K, V)>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at == self.read {
            if !self.more {
                return None;
            }
            let fd = self.map.fd().as_fd();
            match sys::lookup_batch(fd, &mut self.after, &mut self.keys, &mut self.values) {
                Ok((read, more)) => (self.at, self.read, self.more) = (0, read, more),
                Err(error) => {
                    self.more = false;
                    return Some(Err(error));
                }
            }
        }
        let at = self.at;
        self.at += 1;
        Some(Ok((self.keys[at], self.values[at])))
    }
}
