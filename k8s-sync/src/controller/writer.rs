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

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use http::{Request, Response};
    use kube::{
        ResourceExt,
        client::{Body, retry::RetryPolicy},
    };
    use tower::{BoxError, ServiceBuilder, retry::RetryLayer};

    use super::*;
    use crate::api::LocatorPoolStatus;

    /// Answers with one status after the other; 200 brings a pool. Methods are kept.
    fn server(statuses: &[u16]) -> (Writer, Arc<Mutex<Vec<String>>>) {
        let (asked, statuses) =
            (Arc::<Mutex<Vec<String>>>::default(), Arc::new(Mutex::new(statuses.to_vec())));
        let methods = asked.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            methods.lock().unwrap().push(request.method().to_string());
            let status = statuses.lock().unwrap().remove(0);
            async move { Ok::<_, io::Error>(answer(status)) }
        });
        // As kube's own client has it.
        let retry = RetryLayer::new(RetryPolicy::server_retry());
        let service = ServiceBuilder::new().layer(retry).map_err(BoxError::from).service(service);
        (Writer::new(Client::new(service, "default"), "one"), asked)
    }

    fn answer(status: u16) -> Response<Body> {
        let metadata = json!({ "name": "core", "resourceVersion": "8" });
        let content = match status {
            200 => {
                json!({ "apiVersion": "sixedge.io/v1alpha1", "kind": "LocatorPool", "metadata": metadata })
            }
            _ => {
                json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "message": "no", "reason": match status {
                404 => "NotFound", 409 => "Conflict", _ => "Other",
            } })
            }
        };
        let response = Response::builder().status(status).header("Retry-After", "0");
        response.body(Body::from(content.to_string().into_bytes())).unwrap()
    }

    async fn written(statuses: &[u16]) -> (Result<String, WriteError>, Vec<String>) {
        let (writer, asked) = server(statuses);
        let status = Status::Pool { status: LocatorPoolStatus::default(), over: "7".into() };
        let write = Write {
            object: ObjectRef::cluster("LocatorPool", "core"),
            uid: "u".into(),
            status,
            turned: None,
        };
        let told = writer.write(&write).await.map(|written| match written {
            Written::Done(now) => format!("done {}", now.resource_version().unwrap()),
            Written::Overtaken(now) => format!("overtaken {}", now.resource_version().unwrap()),
            Written::Gone => "gone".to_owned(),
        });
        let asked = asked.lock().unwrap().clone();
        (told, asked)
    }

    #[tokio::test]
    async fn what_the_api_server_answers_is_understood() {
        let cases: [(&[u16], &str, &[&str]); 5] = [
            (&[200], "done 8", &["PATCH"]),
            (&[409, 200], "overtaken 8", &["PATCH", "GET"]),
            (&[409, 404], "gone", &["PATCH", "GET"]),
            (&[404], "gone", &["PATCH"]),
            (&[429, 429, 200], "done 8", &["PATCH", "PATCH", "PATCH"]),
        ];
        for (statuses, expected, methods) in cases {
            let (told, asked) = written(statuses).await;
            assert_eq!(told.unwrap(), expected, "{statuses:?}");
            assert_eq!(asked, methods, "{statuses:?}");
        }
    }

    #[tokio::test]
    async fn what_is_refused_is_an_error_and_not_asked_again_here() {
        for status in [403, 422, 500] {
            let (told, asked) = written(&[status]).await;
            assert!(matches!(told, Err(WriteError::Api(_))), "{status}");
            assert_eq!(asked, ["PATCH"]);
        }
    }

    #[test]
    fn numbers_are_written_over_one_version_of_the_pool() {
        let status = Status::Pool { status: LocatorPoolStatus::default(), over: "7".into() };
        let write = Write {
            object: ObjectRef::cluster("LocatorPool", "core"),
            uid: "u".into(),
            status,
            turned: None,
        };
        let (_, Patch::Merge(object)) = patch(&write, "sixedge.io/v1alpha1") else { panic!("not whole") };
        assert_eq!(object["metadata"], json!({ "name": "core", "uid": "u", "resourceVersion": "7" }));
    }
}
