//! A node's file system: the image's tree with everything that the node writes kept in memory, so that neither
//! the machine nor the image ever changes. All of it is in the node's mount namespace and ends with it.
use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root};

use super::NodeSpec;
use crate::LabError;
use crate::topology::Bind;

/// The machine's tree, within reach until all binds are made.
const HOST: &str = "/.host";
const NONE: Option<&str> = None;
/// File systems that hold files of the machine, as against those that the kernel makes up.
const REAL: [&str; 12] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay", "virtiofs", "9p", "nfs4", "squashfs"];

/// Called by the node's init in its new namespaces: replaces the root and fills it.
pub(super) fn enter_root(dir: &Path, spec: &NodeSpec) -> Result<(), LabError> {
    attach(NONE, Path::new("/"), NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let submounts = if spec.root == Path::new("/") { host_submounts()? } else { Vec::new() };
    pivot(&writable_copy(dir, &spec.root)?)?;
    kernel_file_systems()?;
    for path in submounts {
        // Not laid over again: what is mounted apart is mostly large and seldom written, so it is read-only.
        let _ = bind(&Bind { source: path.clone(), target: path, read_only: true });
    }
    spec.binds.iter().try_for_each(bind)?;
    fs::write("/etc/hostname", format!("{}\n", spec.hostname))
        .map_err(LabError::io("write", "/etc/hostname".as_ref()))?;
    umount2(HOST, MntFlags::MNT_DETACH).map_err(LabError::sys("unmount", HOST))?;
    fs::remove_dir(HOST).map_err(LabError::io("remove", HOST.as_ref()))
}

fn attach(
    source: Option<&str>,
    target: &Path,
    kind: Option<&str>,
    flags: MsFlags,
    options: Option<&str>,
) -> Result<(), LabError> {
    mount(source, target, kind, flags, options).map_err(LabError::sys("mount", target))
}

fn make_dir(path: &Path) -> Result<(), LabError> {
    fs::create_dir_all(path).map_err(LabError::io("create", path))
}

/// An overlay over `lower` whose upper layer is a tmpfs.
fn writable_copy(dir: &Path, lower: &Path) -> Result<PathBuf, LabError> {
    let stage = dir.join("fs");
    make_dir(&stage)?;
    attach(Some("lab"), &stage, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))?;
    for name in ["upper", "work", "root"] {
        make_dir(&stage.join(name))?;
    }
    let escaped = |path: &Path| {
        path.display().to_string().replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,")
    };
    let options =
        format!("lowerdir={},upperdir={s}/upper,workdir={s}/work", escaped(lower), s = escaped(&stage));
    let root = stage.join("root");
    attach(Some("lab"), &root, Some("overlay"), MsFlags::empty(), Some(&options))?;
    Ok(root)
}

fn pivot(root: &Path) -> Result<(), LabError> {
    let host = root.join(&HOST[1..]);
    make_dir(&host)?;
    pivot_root(root, &host).map_err(LabError::sys("change the root to", root))?;
    chdir("/").map_err(LabError::sys("enter", "/"))
}

fn kernel_file_systems() -> Result<(), LabError> {
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    for dir in ["/proc", "/sys", "/dev", "/run", "/tmp"] {
        make_dir(Path::new(dir))?;
    }
    attach(Some("proc"), Path::new("/proc"), Some("proc"), safe | MsFlags::MS_NOEXEC, NONE)?;
    attach(Some("sysfs"), Path::new("/sys"), Some("sysfs"), safe | MsFlags::MS_NOEXEC, NONE)?;
    // Pins live as long as this mount, and it as long as the node: they outlive the agent that made them.
    attach(Some("bpf"), Path::new("/sys/fs/bpf"), Some("bpf"), safe, Some("mode=700"))?;
    attach(Some("/.host/dev"), Path::new("/dev"), NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    if Path::new("/dev/shm").is_dir() {
        attach(Some("lab"), Path::new("/dev/shm"), Some("tmpfs"), safe, Some("mode=1777"))?;
    }
    attach(Some("lab"), Path::new("/run"), Some("tmpfs"), safe, Some("mode=755"))?;
    attach(Some("lab"), Path::new("/tmp"), Some("tmpfs"), safe, Some("mode=1777"))?;
    make_dir(Path::new("/run/lock"))
}

/// Mounts a path of the machine, and makes the mount point in the node's own layer.
fn bind(bind: &Bind) -> Result<(), LabError> {
    let source = Path::new(HOST).join(bind.source.strip_prefix("/").unwrap_or(&bind.source));
    let target = &bind.target;
    if source.is_dir() {
        make_dir(target)?;
    } else if !target.exists() {
        target.parent().map_or(Ok(()), make_dir)?;
        fs::write(target, "").map_err(LabError::io("create", target))?;
    }
    mount(Some(&source), target, NONE, MsFlags::MS_BIND, NONE).map_err(LabError::sys("mount", target))?;
    match bind.read_only {
        true => attach(NONE, target, NONE, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, NONE),
        false => Ok(()),
    }
}

/// Mount points below `/` of file systems with the machine's files, which an overlay of `/` leaves out.
fn host_submounts() -> Result<Vec<PathBuf>, LabError> {
    let path = Path::new("/proc/self/mountinfo");
    let text = fs::read_to_string(path).map_err(LabError::io("read", path))?;
    Ok(text.lines().filter_map(submount).collect())
}

/// proc_pid_mountinfo(5): the mount point is field 5, the type follows the separator.
fn submount(line: &str) -> Option<PathBuf> {
    let (before, after) = line.split_once(" - ")?;
    let mount_point = before.split(' ').nth(4)?.replace("\\040", " ");
    let kind = after.split(' ').next()?;
    let below =
        ["/proc", "/sys", "/dev", "/run", "/tmp"].iter().any(|dir| Path::new(&mount_point).starts_with(dir));
    (mount_point != "/" && !below && REAL.contains(&kind)).then(|| mount_point.into())
}

#[cfg(test)]
mod tests {
    use super::submount;

    #[test]
    fn only_mounts_with_files_of_the_machine_are_carried_over() {
        let line =
            |point: &str, kind: &str| format!("36 35 98:0 / {point} rw,noatime shared:1 - {kind} /dev/x rw");
        assert_eq!(submount(&line("/home", "ext4")), Some("/home".into()));
        assert_eq!(submount(&line("/my\\040disk", "xfs")), Some("/my disk".into()));
        for (point, kind) in [("/", "ext4"), ("/proc", "proc"), ("/mnt", "tmpfs"), ("/run/x", "ext4")] {
            assert_eq!(submount(&line(point, kind)), None, "{point} {kind}");
        }
    }
}
