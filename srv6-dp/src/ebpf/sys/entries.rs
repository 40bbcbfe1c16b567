//! Maps: one entry, many, and a kind that aya does not make.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use aya::Pod;

use super::bpf;

const BPF_MAP_CREATE: libc::c_long = 0;
const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;
const BPF_MAP_DELETE_ELEM: libc::c_long = 3;
const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;
const BPF_MAP_UPDATE_BATCH: libc::c_long = 26;
const BPF_MAP_DELETE_BATCH: libc::c_long = 27;

const BPF_MAP_TYPE_LRU_HASH: u32 = 9;

/// The head of `bpf_attr` of `BPF_MAP_CREATE`, up to the name.
#[repr(C)]
#[derive(Default)]
struct CreateAttr {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
    inner_map_fd: u32,
    numa_node: u32,
    map_name: [u8; 16],
}

/// `bpf_attr` of the commands on one entry.
#[repr(C)]
#[derive(Default)]
struct EntryAttr {
    map_fd: u32,
    reserved: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// `bpf_attr` of the batch commands, include/uapi/linux/bpf.h.
#[repr(C)]
#[derive(Default)]
struct BatchAttr {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// Makes a hash that forgets what was used least recently when it is full, which aya does not.
pub(crate) fn create_lru_hash(
    name: &str,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
) -> io::Result<OwnedFd> {
    let mut attr = CreateAttr {
        map_type: BPF_MAP_TYPE_LRU_HASH,
        key_size,
        value_size,
        max_entries,
        ..CreateAttr::default()
    };
    // The last octet stays zero.
    attr.map_name[..15].iter_mut().zip(name.bytes()).for_each(|(octet, letter)| *octet = letter);
    let fd = bpf(BPF_MAP_CREATE, &mut attr)?;
    // SAFETY: the kernel has just handed out this descriptor, and to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// An entry of all zeroes, to be written over.
pub(in crate::ebpf) fn zeroed<T: Pod>() -> T {
    // SAFETY: `Pod` says that any bit pattern is a value.
    unsafe { std::mem::zeroed() }
}

fn entry_attr<K: Pod>(map: BorrowedFd<'_>, key: &K) -> EntryAttr {
    EntryAttr { map_fd: map.as_raw_fd() as u32, key: std::ptr::from_ref(key) as u64, ..EntryAttr::default() }
}

/// The entry of `key` in a map that is not per CPU.
pub(in crate::ebpf) fn lookup_entry<K: Pod, V: Pod>(map: BorrowedFd<'_>, key: &K) -> io::Result<Option<V>> {
    let mut value = zeroed();
    let mut attr = EntryAttr { value: std::ptr::from_mut(&mut value) as u64, ..entry_attr(map, key) };
    match bpf(BPF_MAP_LOOKUP_ELEM, &mut attr) {
        Ok(_) => Ok(Some(value)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets the entry of `key`; returns whether, which is not so where there is one already and `only_new`.
pub(in crate::ebpf) fn update_entry<K: Pod, V: Pod>(
    map: BorrowedFd<'_>,
    key: &K,
    value: &V,
    only_new: bool,
) -> io::Result<bool> {
    const BPF_NOEXIST: u64 = 1;
    let flags = if only_new { BPF_NOEXIST } else { 0 };
    let mut attr = EntryAttr { value: std::ptr::from_ref(value) as u64, flags, ..entry_attr(map, key) };
    match bpf(BPF_MAP_UPDATE_ELEM, &mut attr) {
        Ok(_) => Ok(true),
        Err(error) if only_new && error.raw_os_error() == Some(libc::EEXIST) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes the entry of `key`; one that is not there is no fault.
pub(in crate::ebpf) fn delete_entry<K: Pod>(map: BorrowedFd<'_>, key: &K) -> io::Result<()> {
    match bpf(BPF_MAP_DELETE_ELEM, &mut entry_attr(map, key)) {
        Err(error) if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
        _ => Ok(()),
    }
}

/// What a batch did before it stopped.
#[derive(Debug)]
pub(in crate::ebpf) struct Stopped {
    /// Entries done.
    pub(in crate::ebpf) done: usize,
    /// Why it stopped.
    pub(in crate::ebpf) source: io::Error,
}

fn batch(command: libc::c_long, attr: &mut BatchAttr) -> Result<(), Stopped> {
    let asked = attr.count;
    bpf(command, attr).map(drop).map_err(|source| {
        // Where the kernel does not know the command it leaves the count as it was.
        let done = if attr.count < asked { attr.count as usize } else { 0 };
        Stopped { done, source }
    })
}

/// Writes `values` under `keys`, in order, in one system call.
pub(in crate::ebpf) fn update_batch<K: Pod, V: Pod>(
    map: BorrowedFd<'_>,
    keys: &[K],
    values: &[V],
) -> Result<(), Stopped> {
    debug_assert_eq!(keys.len(), values.len());
    let count = keys.len().min(values.len()) as u32;
    let mut attr = BatchAttr {
        keys: keys.as_ptr() as u64,
        values: values.as_ptr() as u64,
        count,
        map_fd: map.as_raw_fd() as u32,
        ..BatchAttr::default()
    };
    batch(BPF_MAP_UPDATE_BATCH, &mut attr)
}

/// Removes `keys`, in order, in one system call.
pub(in crate::ebpf) fn delete_batch<K: Pod>(map: BorrowedFd<'_>, keys: &[K]) -> Result<(), Stopped> {
    let mut attr = BatchAttr {
        keys: keys.as_ptr() as u64,
        count: keys.len() as u32,
        map_fd: map.as_raw_fd() as u32,
        ..BatchAttr::default()
    };
    batch(BPF_MAP_DELETE_BATCH, &mut attr)
}

/// Fills `keys` and `values` with the entries behind `after`; returns how many, and whether more may follow.
/// `after` is left at the last key read.
pub(in crate::ebpf) fn lookup_batch<K: Pod, V: Pod>(
    map: BorrowedFd<'_>,
    after: &mut Option<K>,
    keys: &mut [K],
    values: &mut [V],
) -> io::Result<(usize, bool)> {
    let Some(mut cursor) = after.or(keys.first().copied()) else { return Ok((0, false)) };
    let mut attr = BatchAttr {
        in_batch: after.as_ref().map_or(0, |key| std::ptr::from_ref(key) as u64),
        out_batch: std::ptr::from_mut(&mut cursor) as u64,
        keys: keys.as_mut_ptr() as u64,
        values: values.as_mut_ptr() as u64,
        count: keys.len().min(values.len()) as u32,
        map_fd: map.as_raw_fd() as u32,
        ..BatchAttr::default()
    };
    let more = match bpf(BPF_MAP_LOOKUP_BATCH, &mut attr) {
        Ok(_) => true,
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => false,
        Err(error) => return Err(error),
    };
    *after = Some(cursor);
    Ok((attr.count as usize, more))
}
