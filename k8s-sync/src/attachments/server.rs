//! Where the CNI plugin asks: one question on a line, one answer, over a Unix socket of root's.

use std::{
    fs, io,
    os::unix::{fs::PermissionsExt, net::UnixStream as BlockingStream},
    path::{Path, PathBuf},
    time::Duration,
};

use cni::protocol::{MAX_MESSAGE, Request, Response, code};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};

/// Root's alone: who may connect gives pods addresses.
const MODE: u32 = 0o600;
/// Plugins served at once; more wait.
const MAX_CLIENTS: usize = 64;
/// A plugin that neither asks nor reads for so long is let go.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a failed accept, such as for want of file descriptors.
const BACKOFF: Duration = Duration::from_millis(100);

/// A question of the plugin, and where its answer goes.
pub type Question = (Request, oneshot::Sender<Response>);

/// Listens on a socket file, which goes away with it.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

/// Why the socket cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another agent answers there.
    #[error("an agent listens at {} already; stop it first, or give this one another socket", .0.display())]
    Taken(PathBuf),
    /// Anything else.
    #[error("{}: {source}; give the agent a socket path in a directory that it may write to", path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What went wrong with it.
        #[source]
        source: io::Error,
    },
}

impl Server {
    /// Replaces what a dead agent left behind. Must be called within a tokio runtime.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        if BlockingStream::connect(path).is_ok() {
            return Err(BindError::Taken(path.to_owned()));
        }
        let listener = listen(path).map_err(|source| BindError::Io { path: path.to_owned(), source })?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Hands questions on for ever, or until nobody takes them any more. Dropped, it lets every plugin go.
    pub async fn serve(self, questions: mpsc::Sender<Question>) {
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if clients.len() < MAX_CLIENTS => match accepted {
                    Ok((stream, _)) => drop(clients.spawn(client(stream, questions.clone()))),
                    Err(error) => {
                        tracing::warn!(%error, path = %self.path.display(), "cannot accept a CNI plugin's connection");
                        tokio::time::sleep(BACKOFF).await;
                    }
                },
                Some(ended) = clients.join_next() => {
                    if let Ok(Err(error)) = ended {
                        tracing::debug!(%error, "a CNI plugin's connection ended");
                    }
                }
                () = questions.closed() => return,
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
    let new = path.with_extension("new");
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

/// Answers one plugin's one question.
async fn client(stream: UnixStream, questions: mpsc::Sender<Question>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    let mut limited = (&mut stream).take(MAX_MESSAGE);
    timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await??;
    let response = match serde_json::from_slice(&line) {
        // Without an answer where the agent is stopping: the plugin asks the next one.
        Ok(request) => ask(request, &questions).await.ok_or(io::ErrorKind::ConnectionAborted)?,
        Err(error) => refused(
            code::INVALID,
            format!("not a question: {error}; use the sixedge-cni of the agent's version"),
        ),
    };
    let mut answer = serde_json::to_vec(&response)?;
    answer.push(b'\n');
    timeout(PATIENCE, stream.write_all(&answer)).await?
}

async fn ask(request: Request, questions: &mpsc::Sender<Question>) -> Option<Response> {
    let (answer, answered) = oneshot::channel();
    questions.send((request, answer)).await.ok()?;
    answered.await.ok()
}

const fn refused(code: u32, message: String) -> Response {
    Response::Refused { code, message }
}
