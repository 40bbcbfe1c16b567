//! Why the kernel did not do as asked: where, what, and the remedy.

use std::{error::Error, io, net::IpAddr, path::PathBuf};

use aya::{maps::MapError, programs::ProgramError};

use srv6_types::VrfId;

use crate::change::NoSuchVrf;

/// An error of the eBPF backend.
#[derive(Debug, thiserror::Error)]
pub enum EbpfError {
    /// The pin directory is not on bpffs.
    #[error(
        "{path} is not on a BPF file system: run `mount -t bpf bpf /sys/fs/bpf` or name a directory on one"
    )]
    NoBpffs {
        /// The pin directory, or the nearest directory above it that exists.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("another process has the dataplane at {path} open: end it, or name another pin directory")]
    InUse {
        /// The pin directory.
        path: PathBuf,
    },
    /// A pin could not be read, made, moved or removed.
    #[error("{path}: {source}")]
    Pin {
        /// The pin.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The kernel refused the object.
    #[error("loading the programs: {}", chain(source.as_ref()))]
    Load {
        /// Why.
        #[source]
        source: Box<aya::EbpfError>,
    },
    /// The object lacks what this version needs: a fault of the build.
    #[error("the built-in object has no {0}: rebuild sixedge")]
    Missing(&'static str),
    /// A program could not be loaded, attached or replaced.
    #[error("program {program}: {}", chain(source.as_ref()))]
    Program {
        /// The program's name.
        program: &'static str,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A map has no room.
    #[error("map {map} is full at {size} entries: raise {setting}")]
    Full {
        /// The map's name.
        map: &'static str,
        /// Its size in entries.
        size: u32,
        /// The setting that sizes it.
        setting: &'static str,
    },
    /// A map could not be read or written.
    #[error("map {map}: {}", chain(source))]
    Map {
        /// The map's name.
        map: &'static str,
        /// Why.
        #[source]
        source: MapError,
    },
    /// A map is not as the layout says: a fault of the build.
    #[error("map {map} of the built-in object is {found}, the layout says {expected}: rebuild sixedge")]
    Layout {
        /// The map's name.
        map: &'static str,
        /// What was found.
        found: String,
        /// What should be.
        expected: String,
    },
    /// The interface is not in the network namespace of this process.
    #[error("no interface has index {0} in this network namespace")]
    NoInterface(u32),
    /// An encapsulation without segments or with too many.
    #[error("{0} segments: write 1 to {max}", max = srv6_types::maps::MAX_SEGMENTS)]
    Segments(usize),
    /// The VRF has to be made first.
    #[error(transparent)]
    NoSuchVrf(#[from] NoSuchVrf),
    /// The egress address has to be made first.
    #[error("VRF {vrf} has no egress address {address}: set it before what translates to it")]
    NoEgressAddress {
        /// VRF.
        vrf: VrfId,
        /// The address.
        address: IpAddr,
    },
    /// A kernel parameter could not be set.
    #[error("setting {path} to {value}: {source}")]
    Sysctl {
        /// Path below /proc/sys.
        path: String,
        /// Value.
        value: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl EbpfError {
    pub(super) fn pin(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Pin { path, source }
    }

    pub(super) fn program<E: Into<Box<dyn Error + Send + Sync>>>(
        program: &'static str,
    ) -> impl Fn(E) -> Self {
        move |source| Self::Program { program, source: source.into() }
    }
}

/// The message with those of all its causes: aya's name the system call at one level and the errno below.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let message = next.to_string();
        if !text.ends_with(&message) {
            text = format!("{text}: {message}");
        }
        cause = next.source();
    }
    text
}

/// The errno at the root of an error of aya, where there is one.
pub(super) fn errno(error: &(dyn Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io.raw_os_error();
        }
        if let Some(netlink) = error.downcast_ref::<aya::sys::NetlinkError>() {
            return netlink.raw_os_error();
        }
        next = error.source();
    }
    None
}

/// The errno of a failed map operation.
pub(super) fn map_errno(error: &MapError) -> Option<i32> {
    match error {
        MapError::SyscallError(call) => call.io_error.raw_os_error(),
        MapError::IoError(io) => io.raw_os_error(),
        _ => errno(error),
    }
}

/// The errno of a failed attachment: aya's transparent wrappers hide the error itself from the chain.
pub(super) fn program_errno(error: &ProgramError) -> Option<i32> {
    match error {
        ProgramError::SyscallError(call) => call.io_error.raw_os_error(),
        ProgramError::NetlinkError(netlink) => netlink.raw_os_error(),
        ProgramError::TcError(aya::programs::tc::TcError::NetlinkError(netlink)) => netlink.raw_os_error(),
        ProgramError::TcError(aya::programs::tc::TcError::IoError(io)) => io.raw_os_error(),
        _ => errno(error),
    }
}
