//! `sixedge controller`: of several that run, the elected one allots locators and tells authors of objects what became of them.

use std::{fs, path::PathBuf, process::ExitCode};

use k8s_sync::controller::{ControllerError, Options, run};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::logs;

/// Runs the controller of a Kubernetes cluster: locators of nodes, and conditions of Vrfs and all else that is configured.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Controller {
    /// How to reach the API server; as kubectl finds it, or as a pod does, where it is not set.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Namespace of the agents, for the Lease; the pod's own, or the kubeconfig's, where it is not set.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Name among the controllers; the host's, which is the pod's, where it is not set.
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,
    /// Seconds after which another controller takes over from one that does not answer any more.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(3..=3600))]
    lease_seconds: u64,
}

/// Why the controller ended.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Connect(#[from] k8s_sync::ConnectError),
    #[error(transparent)]
    Controller(#[from] ControllerError),
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
}

impl Controller {
    pub(crate) fn run(&self) -> ExitCode {
        logs::init();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let ended = match runtime {
            Ok(runtime) => runtime.block_on(self.control()),
            Err(error) => Err(error.into()),
        };
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("sixedge controller: {error}");
                ExitCode::FAILURE
            }
        }
    }

    async fn control(&self) -> Result<(), Failure> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (client, own_namespace) = k8s_sync::connect(self.kubeconfig.as_deref()).await?;
        let options = Options {
            namespace: self.namespace.clone().unwrap_or(own_namespace),
            identity: self.identity()?,
            lease_seconds: self.lease_seconds,
        };
        Ok(run(client, options, either(terminate, interrupt)).await?)
    }

    fn identity(&self) -> std::io::Result<String> {
        match &self.identity {
            Some(identity) => Ok(identity.clone()),
            None => Ok(fs::read_to_string("/proc/sys/kernel/hostname")?.trim().to_owned()),
        }
    }
}

async fn either(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
