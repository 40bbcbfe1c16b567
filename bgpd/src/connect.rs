//! Connections that we open.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use bgp_core::{config::Transport, speaker::ConnectionId};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::mpsc,
    task::AbortHandle,
};

use crate::{
    links::Inbox,
    transport::{self, TransportError},
};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The peer, or the way there: another attempt may do.
    #[error(transparent)]
    Unreached(#[from] io::Error),
    /// This node.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

/// Tries once; the session's own timer gives an attempt up by aborting it.
pub(crate) fn spawn(
    id: ConnectionId,
    remote: SocketAddr,
    local: Option<IpAddr>,
    transport: Transport,
    inbox: mpsc::Sender<Inbox>,
) -> AbortHandle {
    let attempt = async move {
        let stream = connect(remote, local, &transport).await;
        // The receiver is gone only when the speaker is.
        let _ = inbox.send(Inbox::Connected(id, stream)).await;
    };
    tokio::spawn(attempt).abort_handle()
}

async fn connect(
    remote: SocketAddr,
    local: Option<IpAddr>,
    with: &Transport,
) -> Result<TcpStream, ConnectError> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(local) = local {
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(local, 0))?;
    }
    // The first segment is signed already.
    transport::set(&socket, remote.ip(), with)?;
    Ok(socket.connect(remote).await?)
}
