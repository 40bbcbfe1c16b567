//! Where the intent comes from: the configuration file, or Kubernetes.

mod file;
mod watch;

use vrf_manager::intent::Intent;

use self::file::File;
use super::{
    Agent, AgentError, chain,
    kubernetes::{self, Kubernetes},
    node::{Node, TakenOver},
};

/// One of the two.
pub(super) enum Source {
    File(File),
    Kubernetes(Box<Kubernetes>),
}

/// What a source has to say.
pub(super) enum News {
    /// The intent is to be read again.
    Changed,
    /// Kubernetes only.
    Kubernetes(kubernetes::News),
}

/// Why there is no intent, or not the one that was read.
pub(super) type Refusal = String;

impl Source {
    pub(super) async fn open(options: &Agent) -> Result<Self, AgentError> {
        Ok(match options.node.as_deref().filter(|_| options.kubernetes) {
            Some(node) => Self::Kubernetes(Box::new(Kubernetes::open(options, node).await?)),
            None => Self::File(File::watch(options.config.clone())?),
        })
    }

    /// The intent to start with; `None` where there is none yet.
    pub(super) fn first(&mut self) -> Result<Option<Intent>, AgentError> {
        match self {
            Self::File(file) => Ok(Some(file.read()?)),
            Self::Kubernetes(kubernetes) => Ok(kubernetes.first()),
        }
    }

    /// Waits for what it has to say next. Cancel safe.
    pub(super) async fn next(&mut self) -> News {
        match self {
            Self::File(file) => {
                file.changed().await;
                News::Changed
            }
            Self::Kubernetes(kubernetes) => News::Kubernetes(kubernetes.next().await),
        }
    }

    /// While there is no node yet: what is asked of it is refused with the reason.
    pub(super) fn wait(&mut self, news: News) {
        if let (Self::Kubernetes(kubernetes), News::Kubernetes(news)) = (self, news) {
            kubernetes.wait(news);
        }
    }

    /// What there is no intent for want of.
    pub(super) fn waiting_for(&self) -> String {
        match self {
            Self::File(_) => "the configuration".to_owned(),
            Self::Kubernetes(kubernetes) => kubernetes.waiting_for(),
        }
    }

    /// Has the node do what it is told.
    pub(super) async fn hear(&mut self, news: News, node: &mut Node) -> Result<(), AgentError> {
        match (self, news) {
            (Self::Kubernetes(kubernetes), News::Kubernetes(news)) => kubernetes.hear(news, node).await,
            (source, _) => source.reload(node).await.map(drop),
        }
    }

    /// Reads the intent again. A mistake in it leaves everything as it is.
    pub(super) async fn reload(&mut self, node: &mut Node) -> Result<Result<(), Refusal>, AgentError> {
        let file = match self {
            Self::File(file) => file,
            Self::Kubernetes(kubernetes) => return kubernetes.reload(node).await,
        };
        let taken = match file.read() {
            Ok(intent) => match node.take_over(intent).await? {
                TakenOver::Yes => Ok(()),
                TakenOver::Refused(error) => Err(chain(&error)),
            },
            Err(mistakes) => Err(mistakes.to_string()),
        };
        if let Err(refusal) = &taken {
            tracing::error!("configuration refused, the old one goes on\n{refusal}");
        }
        Ok(taken)
    }
}
