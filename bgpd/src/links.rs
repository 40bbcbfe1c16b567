//! The connections by name.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Instant};

use bgp_core::speaker::{ConnectionId, Input, Output};
use tokio::{
    net::TcpStream,
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinSet},
};

use crate::{
    backlog::Pressure,
    connect::{self, ConnectError},
    connection::Connection,
};

/// What the tasks around it tell the speaker's task.
pub(crate) enum Inbox {
    Accepted(TcpStream),
    Connected(ConnectionId, Result<TcpStream, ConnectError>),
    Input(Input),
}

enum Link {
    Connecting(AbortHandle),
    Open(Connection),
}

/// Every connection, and every attempt at one.
pub(crate) struct Links {
    links: HashMap<ConnectionId, Link>,
    inbox: mpsc::Sender<Inbox>,
    pub(crate) drained: Arc<Notify>,
    accepted: u64,
    closing: JoinSet<()>,
}

/// Connections that may linger behind a Close before those that are refused are dropped without a word: who connects
/// over and over must not use up the file descriptors.
const LINGERING: usize = 64;

impl Links {
    pub(crate) fn new(inbox: mpsc::Sender<Inbox>) -> Self {
        let drained = Arc::new(Notify::new());
        Self { links: HashMap::new(), inbox, drained, accepted: 0, closing: JoinSet::new() }
    }

    pub(crate) fn accept(&mut self, stream: TcpStream) -> ConnectionId {
        let id = ConnectionId::Incoming(self.accepted);
        self.accepted += 1;
        self.open(id, stream);
        id
    }

    /// `false`: the attempt was given up meanwhile.
    pub(crate) fn connected(&mut self, id: ConnectionId, stream: TcpStream) -> bool {
        let wanted = self.links.contains_key(&id);
        if wanted {
            self.open(id, stream);
        }
        wanted
    }

    fn open(&mut self, id: ConnectionId, stream: TcpStream) {
        let connection = Connection::spawn(id, stream, &self.inbox, &self.drained);
        self.links.insert(id, Link::Open(connection));
    }

    /// Does what concerns connections; hands back what does not.
    pub(crate) fn perform(&mut self, output: Output) -> Option<Output> {
        match output {
            Output::Connect { connection, remote, port, local, transport } => {
                let remote = SocketAddr::new(remote, port);
                let attempt = connect::spawn(connection, remote, local, transport, self.inbox.clone());
                self.links.insert(connection, Link::Connecting(attempt));
            }
            Output::Send { connection, messages } => {
                if let Some(Link::Open(link)) = self.links.get_mut(&connection) {
                    link.send(messages);
                }
            }
            Output::Close { connection } => self.close(connection),
            Output::Refused { connection, .. } if self.lingering() >= LINGERING => {
                self.forget(connection);
                return Some(output);
            }
            other => return Some(other),
        }
        None
    }

    fn close(&mut self, id: ConnectionId) {
        match self.links.remove(&id) {
            Some(Link::Open(connection)) => {
                self.lingering();
                self.closing.spawn(connection.close());
            }
            Some(Link::Connecting(attempt)) => attempt.abort(),
            None => {}
        }
    }

    /// How many have been closed and are not gone yet; forgets those that are.
    fn lingering(&mut self) -> usize {
        while self.closing.try_join_next().is_some() {}
        self.closing.len()
    }

    /// The connection has ended by itself.
    pub(crate) fn forget(&mut self, id: ConnectionId) {
        if let Some(Link::Open(connection)) = self.links.remove(&id) {
            connection.abort();
        }
    }

    /// Until when the tables wait for slow peers, and the peers that are too slow.
    pub(crate) fn pressure(&mut self, now: Instant) -> (Option<Instant>, Vec<ConnectionId>) {
        let mut wait = None;
        let mut dropped = Vec::new();
        for (id, link) in &mut self.links {
            let Link::Open(connection) = link else { continue };
            match connection.pressure(now) {
                Pressure::None => {}
                Pressure::Wait(until) => wait = wait.max(Some(until)),
                Pressure::Drop => dropped.push(*id),
            }
        }
        (wait, dropped)
    }

    /// Waits until what was queued before the Closes has gone out.
    pub(crate) async fn closed(&mut self) {
        while self.closing.join_next().await.is_some() {}
    }

    /// Closes everything without a word, so that peers keep the routes.
    pub(crate) fn abort_all(&mut self) {
        for (_, link) in self.links.drain() {
            match link {
                Link::Open(connection) => connection.abort(),
                Link::Connecting(attempt) => attempt.abort(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use bytes::Bytes;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn strangers_that_connect_over_and_over_hold_few_connections() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (inbox, _taken) = mpsc::channel(4 * LINGERING);
        let (mut links, mut strangers) = (Links::new(inbox), Vec::new());
        for _ in 0..2 * LINGERING {
            strangers.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
            let connection = links.accept(listener.accept().await.unwrap().0);
            let remote = Ipv4Addr::LOCALHOST.into();
            let told = links.perform(Output::Refused { connection, remote, reason: "unknown" });
            assert!(told.is_some(), "still told");
            links.perform(Output::Send { connection, messages: Bytes::from_static(b"rejected") });
            links.perform(Output::Close { connection });
        }
        assert!(links.links.is_empty());
        assert!(links.lingering() <= LINGERING);
    }
}
