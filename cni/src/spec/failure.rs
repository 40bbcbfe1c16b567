use std::io;

use cni::protocol::{BadId, code};
use serde_json::{Value, json};

use super::Version;
use crate::{agent::AgentError, link::LinkError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("cniVersion {0:?} is not spoken by sixedge-cni; write 0.4.0, 1.0.0 or 1.1.0")]
    Version(String),
    #[error("{command} is of cniVersion 1.1.0, and the configuration says {version}; write 1.1.0")]
    NotInVersion { command: &'static str, version: Version },
    #[error("{key}: {value} means nothing here; {remedy}")]
    Unsupported { key: &'static str, value: String, remedy: &'static str },
    #[error("{variables}: {problem}")]
    Environment { variables: String, problem: String },
    #[error("{0}")]
    Id(#[from] BadId),
    #[error("cannot read the network configuration from stdin: {0}")]
    Stdin(#[from] io::Error),
    #[error("stdin is no network configuration: {0}")]
    Content(#[from] serde_json::Error),
    #[error("the network configuration on stdin has more than {0} octets")]
    TooLong(u64),
    #[error("{0}")]
    Config(&'static str),
    #[error("{0}")]
    Link(#[from] LinkError),
    #[error("{0}")]
    Agent(#[from] AgentError),
    #[error("the attachment is not as it was made: {0}; recreate the pod")]
    NotAsMade(String),
}

impl Failure {
    /// Section 5 of the specification.
    const fn code(&self) -> u32 {
        match self {
            Self::Version(_) | Self::NotInVersion { .. } => 1,
            Self::Unsupported { .. } => 2,
            Self::Environment { .. } | Self::Id(_) | Self::Link(LinkError::Netns { .. }) => 4,
            Self::Stdin(_) | Self::Link(_) => code::IO,
            Self::Content(_) | Self::TooLong(_) => 6,
            Self::Config(_) => code::INVALID,
            Self::Agent(error) => error.code(),
            Self::NotAsMade(_) => code::NOT_AS_MADE,
        }
    }

    /// The error as the runtime reads it, in its version where that is known.
    pub(crate) fn report(&self, version: Option<Version>) -> Value {
        let version = version.unwrap_or(Version::V1_1_0).word();
        json!({ "cniVersion": version, "code": self.code(), "msg": self.to_string() })
    }
}
