//! Rulesets of those that we are compared with.

use std::fs;

use super::{DataplaneBenchError as Error, device::Device};
use crate::folder::Folder;

/// Loads what `nft` reads.
pub(crate) fn nft(device: &Device, folder: &Folder, rules: &str) -> Result<(), Error> {
    let file = folder.file("rules");
    fs::write(&file, rules).map_err(Error::ebpf)?;
    device.namespace.run(&format!("nft -f {}", file.display()))?;
    Ok(())
}

/// Loads what `iptables-save` prints.
pub(crate) fn iptables(device: &Device, folder: &Folder, rules: &str) -> Result<(), Error> {
    let file = folder.file("rules");
    fs::write(&file, rules).map_err(Error::ebpf)?;
    device.namespace.run(&format!("iptables-restore {}", file.display()))?;
    Ok(())
}

/// One line for each.
pub(crate) fn lines<T>(all: impl IntoIterator<Item = T>, line: impl Fn(T) -> String) -> String {
    all.into_iter().map(line).collect::<Vec<_>>().join("\n")
}
