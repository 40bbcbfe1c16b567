//! Connections that we open.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use bgp_core::speaker::ConnectionId;
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::mpsc,
    task::AbortHandle,
};

use crate::links::Inbox;

/// Tries once; the session's own timer gives an attempt up by aborting it.
pub(crate) fn spawn(
    id: ConnectionId,
    remote: SocketAddr,
    local: Option<IpAddr>,
    inbox: mpsc::Sender<Inbox>,
) -> AbortHandle {
    let attempt = async move {
        let stream = connect(remote, local).await;
        // The receiver is gone only when the speaker is.
        let _ = inbox.send(Inbox::Connected(id, stream)).await;
    };
    tokio::spawn(attempt).abort_handle()
}

async fn connect(remote: SocketAddr, local: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(local) = local {
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.connect(remote).await
}
