//! CPU time and memory of the process under test, from /proc.

use std::{fs, time::Duration};

/// Clock ticks per second in /proc, the same on every Linux that Rust runs on.
const TICKS: u64 = 100;

/// CPU time that the process has used, user and system.
pub(crate) fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces; utime and stime are fields 14 and 15.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

/// Most memory that the process has held, in kilobytes.
pub(crate) fn peak_kilobytes(pid: u32) -> Option<u64> {
    status(pid, "VmHWM:")
}

/// Memory that the process holds, in kilobytes.
pub(crate) fn resident_kilobytes(pid: u32) -> Option<u64> {
    status(pid, "VmRSS:")
}

fn status(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next()?.parse().ok())
}
