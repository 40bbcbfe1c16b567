//! DEL, in either mode and whatever is left: the container's network namespace and the agent may be gone.

use cni::protocol::{AttachmentId, Request, host_interface};

use crate::{
    agent::{Agent, AgentError},
    link::Links,
    spec::{Call, Config, Failure},
};

pub(super) fn del(call: &Call<'_>, config: &Config) -> Result<(), Failure> {
    release(&call.id()?, &Agent::new(&config.socket))
}

/// The interface first, for the agent may give its addresses to another as soon as it knows.
pub(super) fn release(id: &AttachmentId, agent: &Agent<'_>) -> Result<(), Failure> {
    Links::of_node()?.delete(&host_interface(id))?;
    match agent.ask(&Request::Detach(id.clone())) {
        // Nothing leaks: an agent lets go of whatever has no interface any more, when it starts and every so often.
        Ok(_) | Err(AgentError::Away { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
