//! A client that takes down what comes of its requests: a watcher tells of changes only, and not that the API server is
//! there again after hours in which nothing has changed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, combinators::UnsyncBoxBody};
use kube::{Client, client::Body};
use tokio::time::timeout;

use super::health::{Board, Source};

/// An answer takes less, or there is none: the API server itself gives up after 60 s.
const ANSWER: Duration = Duration::from_secs(65);

/// The body of an answer, each frame of which is taken down.
type Heard = UnsyncBoxBody<Bytes, kube::Error>;

/// A source's line to the board.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) board: Arc<Board>,
    pub(super) source: Source,
}

impl Line {
    /// The client, with its requests taken down.
    pub(super) fn over(&self, client: &Client) -> Client {
        let namespace = client.default_namespace().to_owned();
        let (client, line) = (client.clone(), self.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (client, line) = (client.clone(), line.clone());
            async move { line.send(&client, request).await }
        });
        Client::new(service, namespace)
    }

    async fn send(self, client: &Client, request: Request<Body>) -> Result<Response<Heard>, kube::Error> {
        let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
        let answer = async {
            let answer = client.send(request).await?;
            if is_watch { Ok(answer) } else { whole(answer).await }
        };
        match timeout(ANSWER, answer).await.unwrap_or_else(|_| Err(no_answer())) {
            Ok(answer) => {
                self.answered(answer.status(), is_watch);
                Ok(answer.map(|body| self.heard_in(body)))
            }
            Err(error) => {
                self.board.failing(self.source, &chain(&error));
                Err(error)
            }
        }
    }

    fn answered(&self, status: StatusCode, is_watch: bool) {
        self.board.heard(self.source);
        match status.as_u16() {
            // Whether a list can be read is known when it was read.
            200..=299 if is_watch => self.board.answered(self.source),
            403..=406 => self.board.refused(self.source, status.as_u16()),
            401 => self.board.failing(self.source, &"the API server does not take our credentials (401)"),
            500..=599 => self.board.failing(self.source, &format_args!("the API server answers {status}")),
            _ => {}
        }
    }

    /// Bookmarks count: they come when nothing else does.
    fn heard_in(self, body: Body) -> Heard {
        let heard = move |frame| {
            self.board.heard(self.source);
            frame
        };
        body.map_frame(heard).boxed_unsync()
    }
}

/// A list is had whole or not at all, so that the time limit is on all of it.
async fn whole(answer: Response<Body>) -> Result<Response<Body>, kube::Error> {
    let (parts, body) = answer.into_parts();
    Ok(Response::from_parts(parts, Body::from(body.collect_bytes().await?)))
}

fn no_answer() -> kube::Error {
    kube::Error::Service(format!("no answer within {} s", ANSWER.as_secs()).into())
}

/// An error with its causes, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup_by(|inner, outer| outer.ends_with(inner.as_str()));
    texts.join(": ")
}
