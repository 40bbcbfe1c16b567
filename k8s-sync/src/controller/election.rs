use kube::Client;
use kube_lease_manager::{LeaseManagerBuilder, LeaseManagerError};

use super::{lead::lead, worlds::Worlds};
use crate::watch;

/// Name of the Lease.
const LEASE: &str = "sixedge-controller";

/// How a controller runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Namespace of the Lease: the agents'.
    pub namespace: String,
    /// Name among the controllers, each its own: the pod's.
    pub identity: String,
    /// Seconds that the Lease holds without being renewed; another controller takes over then.
    pub lease_seconds: u64,
}

/// Why the controller ended.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The Lease cannot be had.
    #[error(
        "cannot use Lease {namespace}/{LEASE}: {error}; see that the namespace is there and that RBAC allows it"
    )]
    Lease {
        /// Where.
        namespace: String,
        /// Why.
        error: LeaseManagerError,
    },
}

/// Runs until `stop`, then gives the Lease back. Of several controllers one leads, the others wait.
///
/// The Lease spares work and no more: while it passes on, two may lead for a moment. Numbers are safe all the same, as each write of them
/// names the version of the pool that it was counted in.
pub async fn run(
    client: Client,
    options: Options,
    stop: impl Future<Output = ()>,
) -> Result<(), ControllerError> {
    // Keys are the agents' business: the controller reads no Secrets.
    let follow = |client| watch::Sync::start(client, watch::Options::default());
    run_with(client, options, follow, stop).await
}

/// As [`run`], with worlds from elsewhere.
pub async fn run_with<W: Worlds + Send>(
    client: Client,
    options: Options,
    follow: impl Fn(Client) -> W,
    stop: impl Future<Output = ()>,
) -> Result<(), ControllerError> {
    let failed = |error| ControllerError::Lease { namespace: options.namespace.clone(), error };
    let lease = LeaseManagerBuilder::new(client.clone(), LEASE)
        .with_namespace(&options.namespace)
        .with_identity(&options.identity)
        .with_duration(options.lease_seconds)
        .with_grace((options.lease_seconds / 3).max(1));
    let (mut elected, manager) = lease.build().await.map_err(failed)?.watch().await;
    tokio::pin!(stop);
    loop {
        let leads = *elected.borrow_and_update();
        tracing::info!(identity = options.identity, leads, "election");
        let leading = async {
            if leads {
                lead(client.clone(), &options.identity, follow(client.clone())).await
            } else {
                std::future::pending().await
            }
        };
        tokio::select! {
            () = &mut stop => break,
            changed = elected.changed() => if changed.is_err() { break },
            () = leading => {}
        }
    }
    drop(elected);
    match manager.await {
        Ok(released) => released.map(drop).map_err(failed),
        // It has panicked, or the runtime ends: the Lease runs out by itself.
        Err(_) => Ok(()),
    }
}
