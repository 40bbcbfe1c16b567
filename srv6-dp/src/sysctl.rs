//! The kernel parameters that the dataplane needs, all in one place.
//!
//! | parameter | value | why |
//! |---|---|---|
//! | `ipv6/conf/<core>/accept_ra` | 2 where it was 1 | forwarding would otherwise drop the default route learnt by RA |
//! | `ipv6/conf/all/forwarding` | 1 | `bpf_fib_lookup` answers "forwarding off" without it |
//! | `ipv6/conf/<circuit>/disable_ipv6` | 0 | the kernel's neighbour discovery resolves the CE |
//! | `ipv6/conf/<circuit>/accept_ra` | 0 | a tenant must not configure the node |
//! | `ipv4/conf/<circuit>/arp_ignore` | 8 | the program answers for the gateway; the node's own addresses stay hidden |
//!
//! Not needed: `seg6_enabled`, for the program takes SIDs before the kernel sees them, and `rp_filter`, for no
//! tenant packet is routed by the kernel. They are parameters of the calling thread's network namespace.

use std::{fs, io, path::Path};

use crate::ebpf::EbpfError;

pub(crate) fn prepare_core(interface: &str) -> Result<(), EbpfError> {
    let accept_ra = format!("ipv6/conf/{interface}/accept_ra");
    // Before forwarding is switched on: that purges the routes.
    if read(&accept_ra).is_ok_and(|value| value == "1") {
        set(&accept_ra, "2")?;
    }
    set("ipv6/conf/all/forwarding", "1")
}

pub(crate) fn prepare_circuit(interface: &str) -> Result<(), EbpfError> {
    set(&format!("ipv6/conf/{interface}/disable_ipv6"), "0")?;
    set(&format!("ipv6/conf/{interface}/accept_ra"), "0")?;
    set(&format!("ipv4/conf/{interface}/arp_ignore"), "8")
}

fn read(name: &str) -> io::Result<String> {
    Ok(fs::read_to_string(path(name))?.trim().to_owned())
}

/// In a container /proc/sys is read-only: the manifests mount the node's here beside it.
const OF_THE_NODE: &str = "/host/proc/sys/net";

/// Writes only what differs, so that a read-only /proc/sys that is right already is no fault.
fn set(name: &str, value: &'static str) -> Result<(), EbpfError> {
    if read(name).is_ok_and(|found| found == value) {
        return Ok(());
    }
    let path = path(name);
    fs::write(&path, value).map_err(|source| EbpfError::Sysctl { path, value, source })
}

fn path(name: &str) -> String {
    let folder = if Path::new(OF_THE_NODE).is_dir() { OF_THE_NODE } else { "/proc/sys/net" };
    format!("{folder}/{name}")
}
