use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use kube::{Api, Client};
use tokio::time::timeout;

use super::convert;
use crate::world::{Key, Namespace, Pod};

/// The runtime waits for us meanwhile.
const ANSWER: Duration = Duration::from_secs(3);

/// A pod and its namespace, straight from the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The pod.
    pub pod: Pod,
    /// Its namespace.
    pub namespace: Namespace,
}

/// Why a pod could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is none that has not ended.
    #[error("pod {0}: the API server knows no such pod that has not ended")]
    NotFound(Key),
    /// No answer.
    #[error("pod {0}: the API server has not answered in time; the runtime will try again")]
    NoAnswer(Key),
    /// Refused.
    #[error("pod {0}: {1}")]
    Refused(Key, #[source] Box<kube::Error>),
}

/// For a pod that the world does not have yet: the runtime may be faster than the watch.
pub async fn fetch_pod(client: &Client, key: &Key) -> Result<Fetched, FetchError> {
    let pods = Api::<core::Pod>::namespaced(client.clone(), &key.namespace);
    let namespaces = Api::<core::Namespace>::all(client.clone());
    let both = async { tokio::try_join!(pods.get_opt(&key.name), namespaces.get_opt(&key.namespace)) };
    let answer = timeout(ANSWER, both).await.map_err(|_| FetchError::NoAnswer(key.clone()))?;
    let (pod, namespace) = answer.map_err(|error| FetchError::Refused(key.clone(), Box::new(error)))?;
    let fetched = pod.and_then(convert::pod).zip(namespace);
    let (pod, namespace) = fetched.ok_or_else(|| FetchError::NotFound(key.clone()))?;
    Ok(Fetched { pod, namespace: Namespace { labels: convert::labels(namespace.metadata) } })
}
