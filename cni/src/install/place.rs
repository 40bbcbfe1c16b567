//! Files in place, whole or not at all: a runtime may call the plugin at any moment.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::InstallError;

const NAME: &str = "sixedge-cni";
const MODE: u32 = 0o755;

/// This program, into the folder.
pub(super) fn install(folder: &Path) -> Result<(), InstallError> {
    let path = folder.join(NAME);
    let program = fs::read("/proc/self/exe").map_err(failed(Path::new("/proc/self/exe")))?;
    replace(&path, &program, Permissions::from_mode(MODE))
}

pub(super) fn uninstall(folder: &Path) -> Result<(), InstallError> {
    let path = folder.join(NAME);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path)(error)),
        _ => Ok(()),
    }
}

/// Replaces a file's content in one step. A file that is being run is replaced as well, for it is another one then.
pub(super) fn replace(path: &Path, content: &[u8], permissions: Permissions) -> Result<(), InstallError> {
    let fresh = fresh(path);
    let written = || {
        let mut file = File::create(&fresh)?;
        file.write_all(content)?;
        file.set_permissions(permissions)?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    written().inspect_err(|_| drop(fs::remove_file(&fresh))).map_err(failed(path))
}

/// Hidden, and with an end that no runtime takes for a configuration or a plugin.
fn fresh(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}

pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    move |source| InstallError::Io { path: path.to_owned(), source }
}
