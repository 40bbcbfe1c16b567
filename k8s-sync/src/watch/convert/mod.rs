//! Objects as the API server tells them to what the world keeps of them. What means nothing is left out: an address that
//! is none, a port that is out of range.

mod endpoint_slice;
mod node;
mod pod;
mod service;

pub(super) use endpoint_slice::endpoint_slice;
pub(super) use node::node;
pub(super) use pod::pod;
pub(super) use service::service;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::world::{Labels, Object, Protocol};

/// Labels of an object.
pub(super) fn labels(metadata: ObjectMeta) -> Labels {
    metadata.labels.unwrap_or_default()
}

/// An object whose content is kept as it is.
pub(super) fn object<S>(metadata: ObjectMeta, spec: S) -> Object<S> {
    Object {
        generation: metadata.generation.unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        labels: labels(metadata),
        spec,
    }
}

/// Those of the texts that mean something.
fn parsed<T: std::str::FromStr>(texts: impl IntoIterator<Item = String>) -> Vec<T> {
    texts.into_iter().filter_map(|text| text.parse().ok()).collect()
}

/// TCP where none is named; `None` for one that we do not know.
fn protocol(name: Option<&str>) -> Option<Protocol> {
    match name.unwrap_or("TCP") {
        "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        "SCTP" => Some(Protocol::Sctp),
        _ => None,
    }
}
