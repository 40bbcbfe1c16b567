use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    api::{DynamicObject, Patch, PatchParams},
    runtime::events::{Event, EventType, Recorder, Reporter},
};
use serde_json::{Value, json};

use super::{
    mirror::api_of,
    plan::{Status, Turned, Write},
};
use crate::world::ObjectRef;

/// Owner of what the controller writes.
pub(super) const FIELD_MANAGER: &str = "sixedge-controller";

/// A server that does not answer must not hold up the rest.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Writes statuses, and Events about them.
pub(super) struct Writer {
    client: Client,
    events: Recorder,
}

/// What became of a write.
pub(super) enum Written {
    /// The object as it is now.
    Done(Box<DynamicObject>),
    /// Somebody else wrote first; the object as it is now.
    Overtaken(Box<DynamicObject>),
    /// The object is no more.
    Gone,
}

/// Why a write has to be tried again.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("{0}")]
    Api(#[from] kube::Error),
    #[error("no answer within {} seconds", TIMEOUT.as_secs())]
    Timeout(#[from] tokio::time::error::Elapsed),
    #[error("{0} is not a kind of ours")]
    Kind(String),
}

impl Writer {
    pub(super) fn new(client: Client, instance: &str) -> Self {
        let reporter = Reporter { controller: FIELD_MANAGER.to_owned(), instance: Some(instance.to_owned()) };
        Self { events: Recorder::new(client.clone(), reporter), client }
    }

    pub(super) async fn write(&self, write: &Write) -> Result<Written, WriteError> {
        let kind = &write.object.kind;
        let (api, resource) = api_of(&self.client, kind).ok_or_else(|| WriteError::Kind(kind.clone()))?;
        let (params, patch) = patch(write, &resource.api_version);
        match tokio::time::timeout(TIMEOUT, api.patch_status(&write.object.name, &params, &patch)).await? {
            Ok(object) => {
                self.tell(write, &resource.api_version).await;
                Ok(Written::Done(Box::new(object)))
            }
            Err(kube::Error::Api(refusal)) if refusal.is_not_found() => Ok(Written::Gone),
            Err(kube::Error::Api(refusal)) if refusal.is_conflict() => {
                let now = tokio::time::timeout(TIMEOUT, api.get_opt(&write.object.name)).await??;
                Ok(now.map_or(Written::Gone, |object| Written::Overtaken(Box::new(object))))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The condition stands already: an Event that gets lost is no harm.
    async fn tell(&self, write: &Write, api_version: &str) {
        let Some(turned) = &write.turned else { return };
        let reference = reference(&write.object, &write.uid, api_version);
        match tokio::time::timeout(TIMEOUT, self.events.publish(&event(turned), &reference)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(object = %write.object, %error, "cannot write an Event"),
            Err(_) => tracing::warn!(object = %write.object, "cannot write an Event: no answer"),
        }
    }
}

/// Conditions are ours alone, and applied. Numbers are written whole, so that none stays behind that somebody else has written, and over one
/// version of the pool: the API server refuses those that were counted in an older one.
fn patch(write: &Write, api_version: &str) -> (PatchParams, Patch<Value>) {
    let mut object = json!({
        "apiVersion": api_version, "kind": write.object.kind,
        "metadata": { "name": write.object.name, "uid": write.uid },
    });
    match &write.status {
        Status::Common(status) => {
            object["status"] = json!(status);
            (PatchParams::apply(FIELD_MANAGER).force(), Patch::Apply(object))
        }
        Status::Pool { status, over } => {
            object["status"] = json!(status);
            object["metadata"]["resourceVersion"] = json!(over);
            let params =
                PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
            (params, Patch::Merge(object))
        }
    }
}

fn reference(object: &ObjectRef, uid: &str, api_version: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some(api_version.to_owned()),
        kind: Some(object.kind.clone()),
        name: Some(object.name.clone()),
        namespace: object.namespace.clone(),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    }
}

fn event(turned: &Turned) -> Event {
    Event {
        type_: if turned.accepted { EventType::Normal } else { EventType::Warning },
        reason: turned.reason.clone(),
        note: Some(turned.message.clone()).filter(|message| !message.is_empty()),
        // The recorder counts events of one action and reason as one, with the first one's note.
        action: format!("Review of generation {}", turned.generation),
        secondary: None,
    }
}
