//! The few system calls that aya 0.14 and nix do not offer. All `unsafe` of this crate is in this folder.
#![expect(unsafe_code, reason = "raw bpf(2) and membarrier(2), each call with its reason")]

mod entries;

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

pub(crate) use entries::create_lru_hash;
pub(super) use entries::*;

const BPF_OBJ_PIN: libc::c_long = 6;
const BPF_OBJ_GET: libc::c_long = 7;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;
const BPF_LINK_DETACH: libc::c_long = 34;

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
