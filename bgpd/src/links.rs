//! The connections by name.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, time::Instant};

use bgp_core::speaker::{ConnectionId, Input, Output};
use tokio::{
    net::TcpStream,
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinHandle},
};

use crate::{backlog::Pressure, connect, connection::Connection};

/// What the tasks around it tell the speaker's task.
pub(crate) enum Inbox {
    Accepted(TcpStream),
    Connected(ConnectionId, io::Result<TcpStream>),
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
    closing: Vec<JoinHandle<()>>,
}

impl Links {
    pub(crate) fn new(inbox: mpsc::Sender<Inbox>) -> Self {
        let drained = Arc::new(Notify::new());
        Self { links: HashMap::new(), inbox, drained, accepted: 0, closing: Vec::new() }
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
            Output::Connect { connection, remote, port, local } => {
                let remote = SocketAddr::new(remote, port);
                let attempt = connect::spawn(connection, remote, local, self.inbox.clone());
                self.links.insert(connection, Link::Connecting(attempt));
            }
            Output::Send { connection, messages } => {
                if let Some(Link::Open(link)) = self.links.get_mut(&connection) {
                    link.send(messages);
                }
            }
            Output::Close { connection } => self.close(connection),
            other => return Some(other),
        }
        None
    }

    fn close(&mut self, id: ConnectionId) {
        match self.links.remove(&id) {
            Some(Link::Open(connection)) => {
                self.closing.retain(|closing| !closing.is_finished());
                self.closing.push(connection.close());
            }
            Some(Link::Connecting(attempt)) => attempt.abort(),
            None => {}
        }
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
        for closing in self.closing.drain(..) {
            let _ = closing.await;
        }
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
