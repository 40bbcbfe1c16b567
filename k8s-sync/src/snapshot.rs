//! The world on disk: what a node goes on with that starts while there is no API server. No Secrets are in it.

use std::{
    fs,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::world::World;

/// Raised when a field of the world comes to mean something else. Another version is not read.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    world: &'a World,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Read {
    world: World,
}

/// The snapshot could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Reading or writing failed.
    #[error("{}: {source}; the agent must be able to read and write there (--state-dir names another folder)", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is none.
    #[error("{}: {source}; it is left aside until the next one is written", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It is another version's.
    #[error("{}: version {version} and not {VERSION}; it is left aside until the next one is written", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
}

/// The snapshot; `None` where there is none yet.
pub fn load(path: &Path) -> Result<Option<World>, SnapshotError> {
    let content = |source| SnapshotError::Content { path: path.to_owned(), source };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SnapshotError::Io { path: path.to_owned(), source }),
    };
    let Version { version } = serde_json::from_slice(&text).map_err(content)?;
    if version != VERSION {
        return Err(SnapshotError::Version { path: path.to_owned(), version });
    }
    serde_json::from_slice(&text).map(|Read { world }| Some(world)).map_err(content)
}

/// Replaces the snapshot as a whole: a crash leaves the old or the new one and never half.
pub fn save(path: &Path, world: &World) -> Result<(), SnapshotError> {
    replace(path, world).map_err(|source| SnapshotError::Io { path: path.to_owned(), source })
}

fn replace(path: &Path, world: &World) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = path.with_extension("new");
    // One that a crash has left may have another mode.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file =
        BufWriter::new(fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?);
    serde_json::to_writer(&mut file, &Written { version: VERSION, world })?;
    file.flush()?;
    // Else a power failure may leave the new name with no content.
    file.get_ref().sync_all()?;
    fs::rename(&fresh, path)
}
