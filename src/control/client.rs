use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use super::{Request, Response};

/// An agent that has not answered by then is stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Nobody listens.
    #[error("no agent answers at {0}; start it with \"sixedge agent --config FILE\"")]
    NotRunning(PathBuf),
    /// The socket is not ours to use.
    #[error("{0} is for root and its group; run this with sudo")]
    NotAllowed(PathBuf),
    /// The agent accepts but says nothing.
    #[error("the agent at {0} did not answer within 10 s; look into its log")]
    Stuck(PathBuf),
    /// The agent went away in between.
    #[error("the agent at {0} closed the connection; look into its log, and ask again")]
    Closed(PathBuf),
    /// An answer in other words than ours.
    #[error(
        "the answer is not understood ({0}); use the sixedge of the agent's version, \"sixedge version\""
    )]
    NotUnderstood(#[from] serde_json::Error),
    /// The agent's own words.
    #[error("{0}")]
    Refused(String),
    /// Anything else.
    #[error("{path}: {error}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// What went wrong with it.
        error: io::Error,
    },
}

/// Asks the agent that listens at `path`. Blocks for 10 seconds at most.
pub(crate) fn call(path: &Path, request: &Request) -> Result<Value, CallError> {
    let question = serde_json::to_string(request)?;
    let answer = exchange(path, &question).map_err(|error| explain(path, error))?;
    if answer.is_empty() {
        return Err(CallError::Closed(path.to_owned()));
    }
    match serde_json::from_str(&answer)? {
        Response::Ok(report) => Ok(report),
        Response::Error(problem) => Err(CallError::Refused(problem)),
    }
}

fn exchange(path: &Path, question: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{question}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer)
}

pub(super) fn explain(path: &Path, error: io::Error) -> CallError {
    use io::ErrorKind::{
        BrokenPipe, ConnectionRefused, ConnectionReset, NotFound, PermissionDenied, TimedOut, WouldBlock,
    };
    let path = path.to_owned();
    match error.kind() {
        NotFound | ConnectionRefused => CallError::NotRunning(path),
        PermissionDenied => CallError::NotAllowed(path),
        TimedOut | WouldBlock => CallError::Stuck(path),
        BrokenPipe | ConnectionReset => CallError::Closed(path),
        _ => CallError::Io { path, error },
    }
}
