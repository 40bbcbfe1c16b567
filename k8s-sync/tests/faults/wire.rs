//! What goes over the wire, and how requests are read.

use std::io;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::server::Cut;

pub(crate) type Stream = UnboundedSender<Result<Bytes, io::Error>>;
pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

pub(crate) fn token(text: &str) -> (u64, usize) {
    let (version, from) = text.split_once('-').unwrap();
    (version.parse().unwrap(), from.parse().unwrap())
}

pub(crate) fn end(stream: &Stream, how: Cut) {
    let half = || Ok(Bytes::from_static(b"{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Po"));
    let reset = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
    let frames = match how {
        Cut::End => vec![],
        Cut::Reset => vec![reset()],
        Cut::MidLine => vec![half()],
        Cut::MidLineReset => vec![half(), reset()],
        Cut::Error(code) => vec![Ok(Bytes::from(line("ERROR", &status(code))))],
    };
    frames.into_iter().for_each(|frame| drop(stream.send(frame)));
}

pub(crate) fn line(event: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": event, "object": object}))
}

pub(crate) fn status(code: u16) -> Value {
    let reason = if code == 410 { "Expired" } else { "InternalError" };
    json!({
        "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
        "message": format!("told to answer {code}"), "reason": reason, "code": code
    })
}

pub(crate) fn failure(code: u16) -> Answer {
    whole(code, &status(code))
}

pub(crate) fn busy(seconds: u64) -> Answer {
    let mut answer = failure(429);
    answer.headers_mut().insert("Retry-After", seconds.to_string().parse().unwrap());
    answer
}

pub(crate) fn whole(code: u16, content: &Value) -> Answer {
    let body = Full::new(Bytes::from(content.to_string())).map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(StatusCode::from_u16(code).unwrap()).body(body).unwrap()
}

pub(crate) fn streamed(events: UnboundedReceiver<Result<Bytes, io::Error>>) -> Answer {
    let frames = futures_util::stream::unfold(events, |mut events| async {
        events.recv().await.map(|frame| (frame, events))
    });
    Response::new(StreamBody::new(frames.map(|bytes| bytes.map(http_body::Frame::data))).boxed_unsync())
}

pub(crate) fn name_of(object: &Value) -> String {
    let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", part("namespace"), part("name"))
}

/// The plural that a request is for.
pub(crate) fn kind_of(uri: &str) -> &str {
    let path = uri.split('?').next().unwrap();
    let rest = path.trim_start_matches("/api/v1/").trim_start_matches("/apis/");
    let parts: Vec<&str> = rest.split('/').collect();
    let parts = if path.starts_with("/apis/") { &parts[2..] } else { &parts[..] };
    if parts.len() > 2 && parts[0] == "namespaces" { parts[2] } else { parts[0] }
}

pub(crate) fn group_and_kind(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "pods" => ("v1", "Pod"),
        "nodes" => ("v1", "Node"),
        "vrfs" => ("sixedge.io/v1alpha1", "Vrf"),
        "bgppeerconfigs" => ("sixedge.io/v1alpha1", "BgpPeerConfig"),
        _ => ("v1", "Other"),
    }
}

pub(crate) fn parameter<'a>(uri: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = uri.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// An object that a selector takes no more is deleted for those who select.
pub(crate) fn seen_through(uri: &str, event: &Value) -> Option<Value> {
    if selects(uri, &event["object"]) {
        return Some(event.clone());
    }
    let is_by_name = uri.contains("metadata.name");
    (!is_by_name).then(|| json!({"type": "DELETED", "object": event["object"]}))
}

pub(crate) fn selects(uri: &str, object: &Value) -> bool {
    let Some(selector) = parameter(uri, "fieldSelector") else { return true };
    match selector.strip_prefix("metadata.name%3D") {
        Some(name) => object["metadata"]["name"] == name,
        None => !matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed")),
    }
}
