//! The root file system that holds FRR 10.3: Debian trixie's package, fetched once by mmdebstrap into the cache.
//! The mirror is the one that this machine's apt uses.
use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::LabError;
use crate::progress::Progress;

const PACKAGES: &str = "--include=frr,iproute2,iputils-ping,libc-bin,bash,coreutils";
/// Ids inside of the root file system only.
const FRR_ID: u32 = 92;
const VTY_ID: u32 = 93;

/// Path of the root file system; made if it is not there yet.
pub(super) fn frr_10_3(progress: &Progress) -> Result<PathBuf, LabError> {
    let cache = cache_dir()?;
    let ready = cache.join("frr-10.3");
    if ready.is_dir() {
        return Ok(ready);
    }
    fs::create_dir_all(&cache).map_err(LabError::io("create the cache", &cache))?;
    // Of several labs that come up at once, one fetches and the others wait for it.
    let lock_path = cache.join("frr-10.3.lock");
    let lock = fs::File::create(&lock_path).map_err(LabError::io("open", &lock_path))?;
    lock.lock().map_err(LabError::io("lock", &lock_path))?;
    if ready.is_dir() {
        return Ok(ready);
    }
    // Made aside and renamed when whole, so that an interrupted fetch is never taken for a good one.
    let partial = cache.join(format!("frr-10.3.partial-{}", std::process::id()));
    let made = fetch(&partial, progress)
        .and_then(|()| complete(&partial).map_err(LabError::io("complete the root file system", &partial)));
    let renamed = made.and_then(|()| match fs::rename(&partial, &ready) {
        Err(error) if !ready.is_dir() => Err(LabError::io("move into the cache", &ready)(error)),
        _ => Ok(()),
    });
    let _ = fs::remove_dir_all(&partial);
    renamed.map(|()| ready)
}

fn cache_dir() -> Result<PathBuf, LabError> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    base.map(|base| base.join("sixedge-lab")).ok_or_else(|| LabError::Missing {
        program: "the cache folder".into(),
        remedy: "set HOME or XDG_CACHE_HOME".into(),
    })
}

fn fetch(target: &Path, progress: &Progress) -> Result<(), LabError> {
    let mirror = debian_mirror()?;
    progress.step(&format!("fetching FRR 10.3 (Debian trixie, about 150 MB on disk) from {mirror}"));
    let mut command = Command::new("mmdebstrap");
    command.args(["--variant=extract", PACKAGES, "trixie"]).arg(target).arg(&mirror);
    let output = progress.interruptible(&mut command).map_err(|error| match error {
        LabError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => LabError::Missing {
            program: "mmdebstrap".into(),
            remedy: "install it (apt-get install mmdebstrap)".into(),
        },
        other => other,
    })?;
    match output.status.success() {
        true => Ok(()),
        false => Err(LabError::Command {
            what: format!("mmdebstrap of trixie from {mirror}"),
            outcome: output.status.to_string(),
            output: last_lines(&String::from_utf8_lossy(&output.stderr), 12),
        }),
    }
}

pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// `$LAB_DEBIAN_MIRROR`, or the Debian mirror in apt's own sources.
fn debian_mirror() -> Result<String, LabError> {
    if let Ok(mirror) = std::env::var("LAB_DEBIAN_MIRROR") {
        return Ok(mirror);
    }
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.filter_map(|text| mirror_in(&text)).next().ok_or_else(|| LabError::Missing {
        program: "a Debian mirror in /etc/apt".into(),
        remedy: "name one in LAB_DEBIAN_MIRROR".into(),
    })
}

/// The first address that ends in `/debian`, in either format of apt's sources.
fn mirror_in(text: &str) -> Option<String> {
    let lines = text.lines().filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"));
    lines
        .flat_map(str::split_whitespace)
        .find(|word| word.contains("://") && word.trim_end_matches('/').ends_with("/debian"))
        .map(str::to_owned)
}

/// What the packages' scripts would have done: `extract` runs none of them.
fn complete(root: &Path) -> std::io::Result<()> {
    let append = |path: &str, text: String| {
        fs::OpenOptions::new().create(true).append(true).open(root.join(path))?.write_all(text.as_bytes())
    };
    append(
        "etc/passwd",
        format!("root:x:0:0:root:/root:/bin/bash\nfrr:x:{FRR_ID}:{FRR_ID}::/nonexistent:/usr/sbin/nologin\n"),
    )?;
    append("etc/group", format!("root:x:0:\nfrr:x:{FRR_ID}:\nfrrvty:x:{VTY_ID}:frr\n"))?;
    fs::create_dir_all(root.join("etc/pam.d"))?;
    for service in ["frr", "other"] {
        fs::write(
            root.join("etc/pam.d").join(service),
            "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
        )?;
    }
    for dir in ["etc/frr", "var/tmp/frr", "var/lib/frr", "var/log/frr"] {
        fs::create_dir_all(root.join(dir))?;
        chown(root.join(dir), Some(FRR_ID), Some(FRR_ID))?;
    }
    append("etc/frr/vtysh.conf", "service integrated-vtysh-config\n".into())?;
    Command::new("chroot").arg(root).arg("/sbin/ldconfig").status().map(drop)
}

#[cfg(test)]
mod tests {
    use super::mirror_in;

    #[test]
    fn the_mirror_is_found_in_both_formats() {
        let deb822 = "Types: deb\n# x\nURIs: http://mirror.test/debian\nSuites: bookworm\n";
        assert_eq!(mirror_in(deb822).as_deref(), Some("http://mirror.test/debian"));
        let line =
            "# deb http://no.test/debian x\ndeb [signed-by=/k] https://mirror.test/debian/ bookworm main\n";
        assert_eq!(mirror_in(line).as_deref(), Some("https://mirror.test/debian/"));
        assert_eq!(mirror_in("URIs: http://mirror.test/debian-security\n"), None);
    }
}
