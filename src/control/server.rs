use std::{
    fs, io,
    os::unix::{fs::PermissionsExt, net::UnixStream as BlockingStream},
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use super::{Request, Response};

/// Root and the group: who may connect may reload.
const MODE: u32 = 0o660;
/// Octets of a question; the longest real one is below 100.
const MAX_QUESTION: u64 = 4096;
/// Clients served at once; more wait.
const MAX_CLIENTS: usize = 64;
/// A client that neither asks nor reads for so long is let go.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause after a failed accept, such as for want of file descriptors.
const BACKOFF: Duration = Duration::from_millis(100);

/// Listens on a socket file, which goes away with it.
pub(crate) struct Server {
    listener: UnixListener,
    path: PathBuf,
}

/// Why the socket cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    /// Another agent answers there.
    #[error("an agent listens at {0} already; stop it first, or give this one another socket")]
    Taken(PathBuf),
    /// Anything else.
    #[error("{path}: {error}; give the agent a socket path in a directory that it may write to")]
    Io {
        /// The socket.
        path: PathBuf,
        /// What went wrong with it.
        error: io::Error,
    },
}

impl Server {
    /// Replaces what a dead agent left behind. Must be called within a tokio runtime.
    pub(crate) fn bind(path: &Path) -> Result<Self, BindError> {
        if BlockingStream::connect(path).is_ok() {
            return Err(BindError::Taken(path.to_owned()));
        }
        listen(path)
            .map(|listener| Self { listener, path: path.to_owned() })
            .map_err(|error| BindError::Io { path: path.to_owned(), error })
    }

    /// Answers for ever. Clients are served side by side within this one future, so the handler may borrow the
    /// agent's state.
    pub(crate) async fn serve(&self, handler: impl AsyncFn(Request) -> Response) {
        let mut clients = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if clients.len() < MAX_CLIENTS => match accepted {
                    Ok((stream, _)) => clients.push(client(stream, &handler)),
                    Err(error) => {
                        tracing::warn!(%error, path = %self.path.display(), "cannot accept a control connection");
                        tokio::time::sleep(BACKOFF).await;
                    }
                },
                Some(ended) = clients.next() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a control connection ended");
                    }
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is lost when it stays: the next agent replaces it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Made under another name and moved: whoever finds the socket finds it with its mode set.
fn listen(path: &Path) -> io::Result<UnixListener> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory)?;
    }
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    if let Err(error) = fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let listener = UnixListener::bind(&new)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(MODE))?;
    fs::rename(&new, path)?;
    Ok(listener)
}

/// Answers one client until it goes.
async fn client(stream: UnixStream, handler: &impl AsyncFn(Request) -> Response) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut question = Vec::new();
    loop {
        question.clear();
        let mut limited = (&mut stream).take(MAX_QUESTION);
        if timeout(PATIENCE, limited.read_until(b'\n', &mut question)).await?? == 0 {
            return Ok(());
        }
        let whole = question.ends_with(b"\n");
        let response = match serde_json::from_slice(&question) {
            Ok(request) => handler(request).await,
            Err(error) => {
                Response::Error(format!("not a request: {error}; ask with the sixedge of this version"))
            }
        };
        let mut answer = serde_json::to_vec(&response)?;
        answer.push(b'\n');
        timeout(PATIENCE, stream.write_all(&answer)).await??;
        if !whole {
            return Ok(());
        }
    }
}
