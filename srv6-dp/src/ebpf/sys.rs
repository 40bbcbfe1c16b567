//! The few system calls that aya 0.14 and nix do not offer. All `unsafe` of this crate is here.
#![expect(unsafe_code, reason = "raw bpf(2) and membarrier(2), each call with its reason")]

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use aya::Pod;

const BPF_MAP_CREATE: libc::c_long = 0;
const BPF_MAP_LOOKUP_ELEM: libc::c_long = 1;
const BPF_MAP_UPDATE_ELEM: libc::c_long = 2;
const BPF_MAP_DELETE_ELEM: libc::c_long = 3;
const BPF_OBJ_PIN: libc::c_long = 6;
const BPF_OBJ_GET: libc::c_long = 7;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_MAP_LOOKUP_BATCH: libc::c_long = 24;
const BPF_MAP_UPDATE_BATCH: libc::c_long = 26;
const BPF_MAP_DELETE_BATCH: libc::c_long = 27;
const BPF_LINK_DETACH: libc::c_long = 34;

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

/// `bpf_attr` of `BPF_OBJ_PIN` and `BPF_OBJ_GET`.
#[repr(C)]
#[derive(Default)]
struct PathAttr {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

/// `bpf_attr` of `BPF_OBJ_GET_INFO_BY_FD`.
#[repr(C)]
#[derive(Default)]
struct InfoAttr {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// The head of `struct bpf_link_info` with the arm of TCX links.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TcxLinkInfo {
    kind: u32,
    id: u32,
    /// The program that the link runs.
    pub(super) program: u32,
    reserved: u32,
    /// The interface; 0 when it has vanished.
    pub(super) interface: u32,
    attach_type: u32,
}

fn bpf<A>(command: libc::c_long, attr: &mut A) -> io::Result<i32> {
    // SAFETY: `attr` is the kernel's layout for `command`, all of it initialised, and lives over the call; the
    // callers see to it that the pointers and lengths inside are those of live buffers.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<A>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
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
pub(super) fn zeroed<T: Pod>() -> T {
    // SAFETY: `Pod` says that any bit pattern is a value.
    unsafe { std::mem::zeroed() }
}

fn entry_attr<K: Pod>(map: BorrowedFd<'_>, key: &K) -> EntryAttr {
    EntryAttr { map_fd: map.as_raw_fd() as u32, key: std::ptr::from_ref(key) as u64, ..EntryAttr::default() }
}

/// The entry of `key` in a map that is not per CPU.
pub(super) fn lookup_entry<K: Pod, V: Pod>(map: BorrowedFd<'_>, key: &K) -> io::Result<Option<V>> {
    let mut value = zeroed();
    let mut attr = EntryAttr { value: std::ptr::from_mut(&mut value) as u64, ..entry_attr(map, key) };
    match bpf(BPF_MAP_LOOKUP_ELEM, &mut attr) {
        Ok(_) => Ok(Some(value)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets the entry of `key`; returns whether, which is not so where there is one already and `only_new`.
pub(super) fn update_entry<K: Pod, V: Pod>(
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
pub(super) fn delete_entry<K: Pod>(map: BorrowedFd<'_>, key: &K) -> io::Result<()> {
    match bpf(BPF_MAP_DELETE_ELEM, &mut entry_attr(map, key)) {
        Err(error) if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
        _ => Ok(()),
    }
}

/// What a batch did before it stopped.
#[derive(Debug)]
pub(super) struct Stopped {
    /// Entries done.
    pub(super) done: usize,
    /// Why it stopped.
    pub(super) source: io::Error,
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
pub(super) fn update_batch<K: Pod, V: Pod>(
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
pub(super) fn delete_batch<K: Pod>(map: BorrowedFd<'_>, keys: &[K]) -> Result<(), Stopped> {
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
pub(super) fn lookup_batch<K: Pod, V: Pod>(
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

fn path_attr(path: &CString) -> PathAttr {
    PathAttr { pathname: path.as_ptr() as u64, ..PathAttr::default() }
}

/// Opens a pin of any kind.
fn get_pin(path: &Path) -> io::Result<OwnedFd> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let fd = bpf(BPF_OBJ_GET, &mut path_attr(&path))?;
    // SAFETY: the kernel has just handed out this descriptor, and to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Pins a map, program or link.
pub(super) fn pin(object: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut attr = PathAttr { bpf_fd: object.as_raw_fd() as u32, ..path_attr(&path) };
    bpf(BPF_OBJ_PIN, &mut attr).map(drop)
}

/// What the kernel says of a pinned TCX link.
pub(super) fn tcx_link(path: &Path) -> io::Result<TcxLinkInfo> {
    let fd = get_pin(path)?;
    let mut info = TcxLinkInfo::default();
    let mut attr = InfoAttr {
        bpf_fd: fd.as_fd().as_raw_fd() as u32,
        info_len: size_of::<TcxLinkInfo>() as u32,
        info: std::ptr::from_mut(&mut info) as u64,
    };
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attr)?;
    Ok(info)
}

/// Takes the program of a pinned link off its interface at once. Removing the pin alone does so some time later, and
/// until then the program would run on, and refuse to be attached again.
pub(super) fn detach_link(path: &Path) -> io::Result<()> {
    let link = get_pin(path)?;
    let mut attr: u32 = link.as_raw_fd() as u32;
    bpf(BPF_LINK_DETACH, &mut attr).map(drop)
}

/// Returns when every packet that was on its way through a program has left it.
pub(super) fn wait_for_readers() -> io::Result<()> {
    // SAFETY: no pointers. MEMBARRIER_CMD_GLOBAL waits for an RCU grace period.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_GLOBAL, 0, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Now, by the clock that the programs write into flows.
pub(super) fn monotonic() -> std::time::Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is ours to write to; the clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut now) };
    std::time::Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// Kernels before 5.11 charge maps to this limit; later ones ignore it. A refusal shows when a map is made.
pub(super) fn raise_memlock() {
    let limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: `limit` is initialised and only read.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) };
    if result < 0 {
        tracing::debug!(error = %io::Error::last_os_error(), "RLIMIT_MEMLOCK stays as it is");
    }
}
