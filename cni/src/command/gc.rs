//! GC: what is of this network, and not in the runtime's list, goes.

use cni::protocol::{Request, Response, host_interface};

use crate::{
    agent::{Agent, AgentError},
    link::Links,
    spec::{Config, Failure},
};

pub(super) fn gc(config: &Config) -> Result<(), Failure> {
    let ask = Request::Retain { network: config.network.clone(), valid: config.valid()? };
    let gone = match Agent::new(&config.socket).ask(&ask)? {
        Response::Released { ids } => ids,
        other => return Err(AgentError::unexpected("retain", &other).into()),
    };
    let node = Links::of_node()?;
    gone.iter().try_for_each(|id| node.delete(&host_interface(id)))?;
    Ok(())
}
