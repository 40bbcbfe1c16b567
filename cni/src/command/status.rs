//! STATUS: whether ADD would be served now.

use cni::protocol::{Request, code};

use crate::{
    agent::{Agent, AgentError},
    spec::{Config, Failure},
};

pub(super) fn status(config: &Config) -> Result<(), Failure> {
    match Agent::new(&config.socket).ask(&Request::Status) {
        Ok(_) => Ok(()),
        // Pods that are there go on: the dataplane outlives the agent.
        Err(error @ AgentError::Away { .. }) => {
            Err(AgentError::Refused { code: code::NOT_AVAILABLE, message: error.to_string() }.into())
        }
        Err(error) => Err(error.into()),
    }
}
