use std::path::{Path, PathBuf};

use kube::{
    Client, Config,
    config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};

/// Why there is no way to the API server.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file that was named is of no use.
    #[error("{}: {error}", .path.display())]
    Kubeconfig {
        /// Which.
        path: PathBuf,
        /// Why.
        error: KubeconfigError,
    },
    /// None was named, and none found.
    #[error("{0}; name a file with --kubeconfig, or start this in a pod with a service account")]
    Infer(#[from] InferConfigError),
    /// The client cannot be made of it.
    #[error("cannot speak to the API server: {0}")]
    Client(#[from] kube::Error),
}

/// A client of the API server, and the namespace to work in: of the file's current context, or the pod's own. Without a file, of
/// `$KUBECONFIG`, `~/.kube/config` or the pod's service account.
pub async fn connect(kubeconfig: Option<&Path>) -> Result<(Client, String), ConnectError> {
    let config = match kubeconfig {
        None => Config::infer().await?,
        Some(path) => {
            let failed = |error| ConnectError::Kubeconfig { path: path.to_owned(), error };
            let file = Kubeconfig::read_from(path).map_err(failed)?;
            Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.map_err(failed)?
        }
    };
    let namespace = config.default_namespace.clone();
    Ok((Client::try_from(config)?, namespace))
}
