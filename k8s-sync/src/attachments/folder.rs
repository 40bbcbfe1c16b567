//! The folder that attachments are kept in: a JSON file each, replaced as a whole.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

const CONTENT: &str = "json";
const FRESH: &str = "new";
const BROKEN: &str = "broken";

/// A folder of ours alone.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// A file that is not ours, or broken; it was put aside.
pub(super) struct Unreadable {
    /// Where it is now.
    pub(super) path: PathBuf,
    /// What is wrong with it.
    pub(super) error: serde_json::Error,
}

impl Folder {
    /// Makes it where it is not there. What a crash left half written goes.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let folder = Self(path.to_owned());
        folder.files(FRESH)?.iter().try_for_each(fs::remove_file)?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Reads every file but `except`.
    pub(super) fn read_all<T: DeserializeOwned>(
        &self,
        except: &str,
    ) -> io::Result<(Vec<T>, Vec<Unreadable>)> {
        let (mut read, mut unreadable) = (Vec::new(), Vec::new());
        for path in self.files(CONTENT)? {
            if path.file_stem().is_some_and(|stem| stem == except) {
                continue;
            }
            match serde_json::from_slice(&fs::read(&path)?) {
                Ok(content) => read.push(content),
                Err(error) => {
                    let aside = path.with_extension(BROKEN);
                    fs::rename(&path, &aside)?;
                    unreadable.push(Unreadable { path: aside, error });
                }
            }
        }
        Ok((read, unreadable))
    }

    /// Reads one; `None` where it is not there or not ours.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.file(name, CONTENT)).ok()?).ok()
    }

    /// On disk when it returns, whole or not at all.
    pub(super) fn write<T: Serialize>(&self, name: &str, content: &T) -> io::Result<()> {
        let (path, fresh) = (self.file(name, CONTENT), self.file(name, FRESH));
        let mut file = File::create(&fresh)?;
        file.write_all(&serde_json::to_vec(content)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        self.sync()
    }

    /// No error where it is not there.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.file(name, CONTENT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.sync(),
        }
    }

    /// The names, which are the folder's content.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    fn file(&self, name: &str, extension: &str) -> PathBuf {
        self.0.join(format!("{name}.{extension}"))
    }

    fn files(&self, extension: &str) -> io::Result<Vec<PathBuf>> {
        let paths = fs::read_dir(&self.0)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|found| found == extension));
        paths.sort();
        Ok(paths)
    }
}
