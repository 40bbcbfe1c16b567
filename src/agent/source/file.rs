use std::path::PathBuf;

use vrf_manager::intent::Intent;

use super::watch::ConfigWatch;
use crate::config::{self, ConfigErrors};

/// The configuration file.
pub(in crate::agent) struct File {
    path: PathBuf,
    watch: ConfigWatch,
}

impl File {
    /// Watched before it is read, so that no change falls in between.
    pub(super) fn watch(path: PathBuf) -> std::io::Result<Self> {
        Ok(Self { watch: ConfigWatch::new(path.clone())?, path })
    }

    pub(super) async fn changed(&mut self) {
        self.watch.changed().await;
    }

    pub(super) fn read(&self) -> Result<Intent, ConfigErrors> {
        config::load(&self.path)
    }
}
