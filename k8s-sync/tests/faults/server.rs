//! An API server within the test that does what it is told to do wrong. A test tool: it knows lists with pages, watches
//! with history and bookmarks, and two field selectors, and claims nothing more.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use kube::{
    Client,
    client::{Body, retry::RetryPolicy},
};
use serde_json::{Value, json};
use tokio::{sync::mpsc::unbounded_channel, time::sleep};
use tower::{BoxError, ServiceBuilder, retry::RetryLayer};

use crate::wire::{
    Answer, Stream, busy, end, failure, group_and_kind, kind_of, line, name_of, parameter, seen_through,
    selects, streamed, token, whole,
};

/// Objects to a page, however many are asked for.
const PAGE: usize = 2;

/// What happens to the next request of a kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// An answer with this status.
    Status(u16),
    /// 429 with Retry-After, in seconds.
    Busy(u64),
    /// The connection is reset.
    Reset,
    /// The answer comes late.
    Slow(Duration),
    /// A list that is no list.
    Garbage,
}

/// How streams end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Properly.
    End,
    /// By a reset.
    Reset,
    /// Within a line, by an end.
    MidLine,
    /// Within a line, by a reset.
    MidLineReset,
    /// By an ERROR event with this code.
    Error(u16),
}

struct Watch {
    kind: String,
    uri: String,
    stream: Stream,
}

#[derive(Default)]
struct State {
    version: u64,
    /// By kind, namespace and name.
    objects: BTreeMap<(String, String), Value>,
    history: Vec<(u64, String, Value)>,
    /// Versions before are forgotten.
    oldest: u64,
    streams: Vec<Watch>,
    faults: BTreeMap<String, VecDeque<(bool, Fault)>>,
    refused: BTreeMap<String, u16>,
    is_down: bool,
    requests: Vec<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Server(Arc<Mutex<State>>);

impl Server {
    /// A client as the product has it: with retries for servers that are busy.
    pub(crate) fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.answer(request).await }
        });
        let retry = RetryLayer::new(RetryPolicy::server_retry());
        let service = ServiceBuilder::new().layer(retry).map_err(BoxError::from).service(service);
        Client::new(service, "default")
    }

    /// Creates or changes an object.
    pub(crate) fn put(&self, kind: &str, object: Value) {
        let mut state = self.state();
        let name = name_of(&object);
        let known = state.objects.contains_key(&(kind.to_owned(), name.clone()));
        let object = state.stamped(object);
        state.objects.insert((kind.to_owned(), name), object.clone());
        state.happened(kind, if known { "MODIFIED" } else { "ADDED" }, object);
    }

    /// Deletes an object: `namespace/name`, or `/name`.
    pub(crate) fn delete(&self, kind: &str, name: &str) {
        let mut state = self.state();
        let object = state.objects.remove(&(kind.to_owned(), name.to_owned())).unwrap();
        let object = state.stamped(object);
        state.happened(kind, "DELETED", object);
    }

    /// Sends an event that is none: the object is not changed.
    pub(crate) fn replay(&self, kind: &str, event: &str, name: &str) {
        let state = self.state();
        let object = state.objects[&(kind.to_owned(), name.to_owned())].clone();
        state.send(kind, &line(event, &object));
    }

    pub(crate) fn bookmark(&self, kind: &str) {
        let state = self.state();
        let version = state.version.to_string();
        let (group, kind_name) = group_and_kind(kind);
        let object =
            json!({"apiVersion": group, "kind": kind_name, "metadata": {"resourceVersion": version}});
        state.send(kind, &line("BOOKMARK", &object));
    }

    pub(crate) fn next_list(&self, kind: &str, fault: Fault) {
        self.state().faults.entry(kind.to_owned()).or_default().push_back((false, fault));
    }

    pub(crate) fn next_watch(&self, kind: &str, fault: Fault) {
        self.state().faults.entry(kind.to_owned()).or_default().push_back((true, fault));
    }

    /// Every request for the kind is answered so, until 200 is said.
    pub(crate) fn refuse(&self, kind: &str, status: u16) {
        self.state().refused.insert(kind.to_owned(), status);
    }

    /// Forgets its history: older watches are answered with 410.
    pub(crate) fn compact(&self) {
        let mut state = self.state();
        state.version += 1;
        state.oldest = state.version;
        state.history.clear();
    }

    pub(crate) fn cut(&self, kind: &str, how: Cut) {
        let mut state = self.state();
        let (cut, kept) =
            std::mem::take(&mut state.streams).into_iter().partition(|watch| watch.kind == kind);
        state.streams = kept;
        cut.iter().for_each(|watch: &Watch| end(&watch.stream, how));
    }

    /// Goes away, or comes back.
    pub(crate) fn down(&self, is_down: bool) {
        let mut state = self.state();
        state.is_down = is_down;
        std::mem::take(&mut state.streams).iter().for_each(|watch| end(&watch.stream, Cut::Reset));
    }

    /// What was asked so far for a kind.
    pub(crate) fn requests(&self, kind: &str) -> Vec<String> {
        let state = self.state();
        state.requests.iter().filter(|uri| kind_of(uri) == kind).cloned().collect()
    }

    pub(crate) fn open_streams(&self, kind: &str) -> usize {
        self.state().streams.iter().filter(|watch| watch.kind == kind && !watch.stream.is_closed()).count()
    }

    async fn answer(self, request: Request<Body>) -> Result<Answer, io::Error> {
        let uri = request.uri().to_string();
        let is_watch = uri.contains("watch=true");
        let kind = kind_of(&uri).to_owned();
        let fault = {
            let mut state = self.state();
            state.requests.push(uri.clone());
            if state.is_down {
                return Err(io::Error::from(io::ErrorKind::ConnectionRefused));
            }
            state.fault(&kind, is_watch)
        };
        match fault {
            Some(Fault::Status(status)) => return Ok(failure(status)),
            Some(Fault::Busy(seconds)) => return Ok(busy(seconds)),
            Some(Fault::Reset) => return Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            Some(Fault::Garbage) => return Ok(whole(200, &json!({"items": 5}))),
            Some(Fault::Slow(late)) => sleep(late).await,
            None => {}
        }
        let mut state = self.state();
        Ok(if is_watch { state.watch(&kind, &uri) } else { state.read(&kind, &uri) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    fn stamped(&mut self, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        object
    }

    fn happened(&mut self, kind: &str, event: &str, object: Value) {
        let event = json!({"type": event, "object": object});
        for watch in self.streams.iter().filter(|watch| watch.kind == kind) {
            if let Some(event) = seen_through(&watch.uri, &event) {
                let _ = watch.stream.send(Ok(Bytes::from(format!("{event}\n"))));
            }
        }
        self.history.push((self.version, kind.to_owned(), event));
    }

    fn send(&self, kind: &str, line: &str) {
        for watch in self.streams.iter().filter(|watch| watch.kind == kind) {
            let _ = watch.stream.send(Ok(Bytes::from(line.to_owned())));
        }
    }

    fn fault(&mut self, kind: &str, is_watch: bool) -> Option<Fault> {
        let refused =
            self.refused.get(kind).filter(|status| **status != 200).map(|status| Fault::Status(*status));
        let faults = self.faults.entry(kind.to_owned()).or_default();
        let next = faults.iter().position(|(watch, _)| *watch == is_watch);
        refused.or_else(|| next.and_then(|at| faults.remove(at)).map(|(_, fault)| fault))
    }

    fn read(&self, kind: &str, uri: &str) -> Answer {
        if let Some((_, name)) = uri.split('?').next().unwrap().split_once(&format!("/{kind}/")) {
            let found =
                self.objects.iter().find(|((of, key), _)| of == kind && key.ends_with(&format!("/{name}")));
            return found.map_or_else(|| failure(404), |(_, object)| whole(200, object));
        }
        let matching = |object: &&Value| selects(uri, object);
        let of_kind = self.objects.iter().filter(|((of, _), _)| of == kind).map(|(_, object)| object);
        let items: Vec<&Value> = of_kind.filter(matching).collect();
        // A token is the version that the list is of, and where it goes on.
        let (version, from) = match parameter(uri, "continue").map(token) {
            Some((version, _)) if version < self.oldest => return failure(410),
            Some(token) => token,
            None => (self.version, 0),
        };
        let page: Vec<&Value> = items.iter().skip(from).take(PAGE).copied().collect();
        let next = from + page.len();
        let token = if next < items.len() { format!("{version}-{next}") } else { String::new() };
        let metadata = json!({"resourceVersion": version.to_string(), "continue": token});
        let (group, name) = group_and_kind(kind);
        whole(
            200,
            &json!({"apiVersion": group, "kind": format!("{name}List"), "metadata": metadata, "items": page}),
        )
    }

    fn watch(&mut self, kind: &str, uri: &str) -> Answer {
        let from: u64 = parameter(uri, "resourceVersion").unwrap().parse().unwrap();
        let (stream, events) = unbounded_channel();
        if from < self.oldest {
            end(&stream, Cut::Error(410));
        } else {
            let missed = self.history.iter().filter(|(version, of, _)| *version > from && of == kind);
            for event in missed.filter_map(|(_, _, event)| seen_through(uri, event)) {
                let _ = stream.send(Ok(Bytes::from(format!("{event}\n"))));
            }
            self.streams.push(Watch { kind: kind.to_owned(), uri: uri.to_owned(), stream });
        }
        streamed(events)
    }
}
