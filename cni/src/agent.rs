//! Asks the agent of the node.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use cni::protocol::{MAX_MESSAGE, Request, Response, code};

/// How long ADD waits for an agent that is restarting, or that wants to be asked again.
const RESTART: Duration = Duration::from_secs(10);
/// Time between attempts to find the agent.
const PAUSE: Duration = Duration::from_millis(200);
/// Time until an agent that wants to be asked again is: it may have to ask the API server each time.
const AGAIN: Duration = Duration::from_secs(1);
/// An agent that has not answered by then is stuck.
const PATIENCE: Duration = Duration::from_secs(20);

/// The agent, by its socket.
pub(crate) struct Agent<'a> {
    socket: &'a Path,
}

/// Why a question has no answer, or not the one that was wanted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    #[error("no agent answers at {}: {source}; see whether the sixedge agent runs on this node, and whether \"socket\" is where it listens", socket.display())]
    Away {
        socket: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the agent's answer is not understood: {0}; use the sixedge-cni of the agent's version")]
    NotUnderstood(#[from] serde_json::Error),
    #[error("the agent answers {question} with {answer}; use the sixedge-cni of the agent's version")]
    Unexpected { question: &'static str, answer: String },
    #[error("{message}")]
    Refused { code: u32, message: String },
}

impl AgentError {
    pub(crate) const fn code(&self) -> u32 {
        match self {
            Self::Away { .. } => code::TRY_AGAIN,
            Self::NotUnderstood(_) | Self::Unexpected { .. } => code::INVALID,
            Self::Refused { code, .. } => *code,
        }
    }

    /// An answer that is none to the question.
    pub(crate) fn unexpected(question: &'static str, answer: &Response) -> Self {
        Self::Unexpected { question, answer: format!("{answer:?}") }
    }
}

impl<'a> Agent<'a> {
    pub(crate) const fn new(socket: &'a Path) -> Self {
        Self { socket }
    }

    /// Asks once.
    pub(crate) fn ask(&self, request: &Request) -> Result<Response, AgentError> {
        let question = serde_json::to_string(request)?;
        let answer = self.exchange(&question);
        let answer = answer.map_err(|source| AgentError::Away { socket: self.socket.to_owned(), source })?;
        match serde_json::from_str(&answer)? {
            Response::Refused { code, message } => Err(AgentError::Refused { code, message }),
            response => Ok(response),
        }
    }

    /// Asks again for some seconds where the agent is away or says that it may do it later: every question may be asked twice.
    pub(crate) fn ask_patiently(&self, request: &Request) -> Result<Response, AgentError> {
        let until = Instant::now() + RESTART;
        loop {
            let asked = self.ask(request);
            let pause = match &asked {
                Err(AgentError::Away { .. }) => PAUSE,
                Err(AgentError::Refused { code: code::TRY_AGAIN, .. }) => AGAIN,
                _ => return asked,
            };
            if Instant::now() + pause > until {
                return asked;
            }
            sleep(pause);
        }
    }

    fn exchange(&self, question: &str) -> io::Result<String> {
        let mut stream = UnixStream::connect(self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{question}\n").as_bytes())?;
        let mut answer = String::new();
        BufReader::new(stream.take(MAX_MESSAGE)).read_line(&mut answer)?;
        // An agent that stops answers nobody.
        if answer.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(answer) }
    }
}
