//! What must outlive the agent: which numbers were allotted to which VRF.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use serde::{Serialize, de::DeserializeOwned};

/// A JSON file that is replaced as a whole, so that a crash leaves the old or the new one and never half.
pub(crate) struct StateFile {
    path: PathBuf,
}

/// The state file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateFileError {
    /// Reading or writing failed.
    #[error("{}: {source}; the agent must be able to write there (--state-dir names another folder)", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The content is not ours.
    #[error("{}: {source}; move the file away to have numbers allotted anew", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl StateFile {
    /// Names the file; nothing is read yet.
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The content; `None` where there is no file yet.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, StateFileError> {
        match fs::read(&self.path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|source| self.content(source)),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.io(source)),
        }
    }

    /// Replaces the content.
    pub(crate) fn write<T: Serialize>(&self, content: &T) -> Result<(), StateFileError> {
        let text = serde_json::to_vec_pretty(content).map_err(|source| self.content(source))?;
        let fresh = self.path.with_extension("new");
        let replace = || {
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = fs::File::create(&fresh)?;
            file.write_all(&text)?;
            // Else a power failure may leave the new name with no content.
            file.sync_all()?;
            fs::rename(&fresh, &self.path)
        };
        replace().map_err(|source| self.io(source))
    }

    fn io(&self, source: io::Error) -> StateFileError {
        StateFileError::Io { path: self.path.clone(), source }
    }

    fn content(&self, source: serde_json::Error) -> StateFileError {
        StateFileError::Content { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_garbage_is_named() {
        let folder = std::env::temp_dir().join(format!("sixedge-state-{}", std::process::id()));
        let file = StateFile::new(folder.join("numbers.json"));
        assert!(file.read::<Vec<u32>>().unwrap().is_none());
        file.write(&vec![1, 2, 3]).unwrap();
        assert_eq!(file.read::<Vec<u32>>().unwrap(), Some(vec![1, 2, 3]));
        fs::write(folder.join("numbers.json"), "{").unwrap();
        let message = file.read::<Vec<u32>>().unwrap_err().to_string();
        assert!(message.contains("numbers.json") && message.contains("move the file away"), "{message}");
        fs::remove_dir_all(folder).unwrap();
    }
}
