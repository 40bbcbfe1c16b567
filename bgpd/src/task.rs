//! The task that owns the speaker.

use std::{collections::VecDeque, future, net::IpAddr, time::Instant};

use bgp_core::{
    config::{PeerId, SpeakerConfig},
    session::{cease, cease_code},
    speaker::{ConfigureError, ConnectionId, Input, Output, Speaker},
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
};

use crate::{
    connect::ConnectError,
    handle::{Command, Event, RouteChange},
    links::{Inbox, Links},
    listen::{ListenError, Listeners, ends, passwords},
    log_budget::LogBudget,
    transport::{self, TransportError},
};

/// Batches of messages that wait for the speaker; beyond that readers wait, and then TCP.
const INBOX: usize = 64;
/// Batches taken in before the tables are asked for what has changed.
const TURN: usize = 32;
/// Events that wait for their taker before the tables hand out nothing new.
const WAITING_EVENTS: usize = 64;
/// Route changes in one event.
const ROUTES: usize = 4096;

pub(crate) struct Task {
    speaker: Speaker,
    links: Links,
    listeners: Listeners,
    inbox: mpsc::Receiver<Inbox>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    waiting: VecDeque<Event>,
    outputs: Vec<Output>,
    /// The tables have more to hand out.
    more: bool,
    faulty: LogBudget,
    refused: LogBudget,
}

/// Why the task was woken.
enum Wake {
    Command(Option<Command>),
    Inbox(Inbox),
    Taken,
    Time,
}

impl Task {
    pub(crate) fn new(
        config: SpeakerConfig,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Result<Self, ListenError> {
        let (inbox_sender, inbox) = mpsc::channel(INBOX);
        let listeners = Listeners::bind(&config.listen, passwords(&config.peers), inbox_sender.clone())?;
        let mut outputs = Vec::new();
        let speaker = Speaker::new(config, Instant::now(), &mut outputs);
        let links = Links::new(inbox_sender);
        Ok(Self {
            speaker,
            links,
            listeners,
            inbox,
            commands,
            events,
            waiting: VecDeque::new(),
            outputs,
            more: true,
            faulty: LogBudget::default(),
            refused: LogBudget::default(),
        })
    }

    pub(crate) async fn run(mut self) {
        self.dispatch();
        loop {
            match self.wake().await {
                Wake::Command(None) => return self.shutdown(false).await,
                Wake::Command(Some(Command::Shutdown { keep, done })) => {
                    self.shutdown(keep).await;
                    let _ = done.send(());
                    return;
                }
                Wake::Command(Some(command)) => self.command(command).await,
                Wake::Inbox(first) => self.take_in(first),
                Wake::Taken | Wake::Time => {}
            }
            self.turn();
        }
    }

    /// What comes first of what there is; when there is nothing, whether the tables have more.
    async fn wake(&mut self) -> Wake {
        let now = Instant::now();
        let (patience, _) = self.links.pressure(now);
        let may_flush = self.more && patience.is_none() && self.waiting.len() < WAITING_EVENTS;
        let deadline = self.speaker.next_deadline().into_iter().chain(patience).min();
        let drained = self.links.drained.clone();
        tokio::select! {
            biased;
            command = self.commands.recv() => Wake::Command(command),
            Some(item) = self.inbox.recv() => Wake::Inbox(item),
            permit = self.events.reserve(), if !self.waiting.is_empty() => {
                match (permit, self.waiting.pop_front()) {
                    (Ok(permit), Some(event)) => permit.send(event),
                    // Nobody takes events any more.
                    _ => self.waiting.clear(),
                }
                Wake::Taken
            }
            () = future::ready(()), if may_flush => Wake::Time,
            () = drained.notified() => Wake::Time,
            () = until(deadline) => Wake::Time,
        }
    }

    fn take_in(&mut self, first: Inbox) {
        self.take(first);
        for _ in 1..TURN {
            let Ok(next) = self.inbox.try_recv() else { return };
            self.take(next);
        }
    }

    fn take(&mut self, item: Inbox) {
        match item {
            Inbox::Accepted(stream) => self.accepted(stream),
            Inbox::Connected(connection, stream) => self.connected(connection, stream),
            Inbox::Input(input) => {
                if let Input::Closed { connection } = input {
                    self.links.forget(connection);
                }
                self.handle(input);
            }
        }
    }

    fn accepted(&mut self, stream: TcpStream) {
        // Fails when the peer has reset the connection already.
        let Ok((remote, local)) = ends(&stream) else { return };
        // Also where the peer connected just before its password was changed, or with none because it could not be set.
        if let Some(peer) = self.speaker.config().peers.get(&remote)
            && let Err(error) = transport::set(&stream, remote, &peer.transport)
        {
            return self.unusable(remote, &error);
        }
        let connection = self.links.accept(stream);
        self.handle(Input::Accepted { connection, remote, local });
    }

    fn connected(&mut self, connection: ConnectionId, stream: Result<TcpStream, ConnectError>) {
        let ready = stream.and_then(|stream| Ok((ends(&stream)?.1, stream)));
        match ready {
            Ok((local, stream)) => {
                if self.links.connected(connection, stream) {
                    self.handle(Input::Connected { connection, local });
                }
            }
            Err(ConnectError::Transport(error)) => {
                self.links.forget(connection);
                self.handle(Input::Failed { connection, reason: error.to_string() });
            }
            Err(ConnectError::Unreached(error)) => {
                tracing::debug!(?connection, %error, "a peer could not be reached");
                self.links.forget(connection);
                self.handle(Input::Closed { connection });
            }
        }
    }

    fn unusable(&mut self, remote: IpAddr, error: &TransportError) {
        if let Some(left_out) = self.refused.take(Instant::now()) {
            tracing::error!(neighbor = %remote, %error, left_out, "connection refused");
        }
    }

    fn handle(&mut self, input: Input) {
        self.speaker.handle(input, Instant::now(), &mut self.outputs);
        self.dispatch();
    }

    /// Timers, slow peers, then one helping of what has changed.
    fn turn(&mut self) {
        let now = Instant::now();
        if self.speaker.next_deadline().is_some_and(|at| at <= now) {
            self.handle(Input::Tick);
        }
        let (wait, dropped) = self.links.pressure(now);
        for connection in dropped {
            self.drop_slow(connection);
        }
        if wait.is_none() && self.waiting.len() < WAITING_EVENTS {
            self.more = self.speaker.flush(&mut self.outputs);
            self.dispatch();
        } else {
            self.more = true;
        }
    }

    fn drop_slow(&mut self, connection: ConnectionId) {
        tracing::warn!(?connection, "the peer does not read what is sent: the session is dropped");
        let notification = cease(cease_code::OUT_OF_RESOURCES);
        self.speaker.handle(Input::Fault { connection, notification }, Instant::now(), &mut self.outputs);
        self.links.forget(connection);
        self.dispatch();
    }

    async fn command(&mut self, command: Command) {
        // Who asked and does not wait for the answer any more does not need it.
        match command {
            Command::Configure(config, answer) => drop(answer.send(self.configure(*config).await)),
            Command::Announce(routes) => self.handle(Input::Announce(routes)),
            Command::Withdraw(routes) => self.handle(Input::Withdraw(routes)),
            Command::NextHops(verdicts) => self.handle(Input::NextHops(verdicts)),
            Command::Clear(address, answer) => self.with_peer(address, answer, Self::clear),
            Command::Refresh(address, family, answer) => {
                self.with_peer(address, answer, |task, peer| task.handle(Input::Refresh { peer, family }));
            }
            Command::Peers(answer) => drop(answer.send(self.speaker.peer_views(Instant::now()))),
            Command::Routes(family, prefix, answer) => {
                drop(answer.send(self.speaker.routes(family, prefix)));
            }
            Command::Shutdown { .. } => {}
        }
    }

    fn with_peer(&mut self, address: IpAddr, answer: oneshot::Sender<bool>, act: impl Fn(&mut Self, PeerId)) {
        let peer = self.speaker.peer_id(address);
        if let Some(peer) = peer {
            act(self, peer);
        }
        let _ = answer.send(peer.is_some());
    }

    fn clear(&mut self, peer: PeerId) {
        self.handle(Input::Stop { peer, subcode: cease_code::ADMIN_RESET });
        self.handle(Input::Start { peer });
    }

    async fn configure(&mut self, config: SpeakerConfig) -> Result<(), ConfigureError> {
        let listen = config.listen.clone();
        let signed = passwords(&config.peers);
        let rebind = listen != self.speaker.config().listen;
        self.speaker.configure(config, Instant::now(), &mut self.outputs)?;
        self.listeners.sign(signed);
        self.dispatch();
        if rebind {
            self.listeners.rebind(&listen).await;
        }
        Ok(())
    }

    /// Does what the speaker wants done.
    fn dispatch(&mut self) {
        let mut routes = Vec::new();
        let mut outputs = std::mem::take(&mut self.outputs);
        for output in outputs.drain(..) {
            let Some(output) = self.links.perform(output) else { continue };
            match output {
                Output::Vrf(route) => routes.push(RouteChange::Vrf(route)),
                Output::Unicast(route) => routes.push(RouteChange::Unicast(route)),
                other => {
                    self.tell_routes(&mut routes);
                    self.tell(other);
                }
            }
            if routes.len() >= ROUTES {
                self.tell_routes(&mut routes);
            }
        }
        self.tell_routes(&mut routes);
        self.outputs = outputs;
    }

    fn tell_routes(&mut self, routes: &mut Vec<RouteChange>) {
        if !routes.is_empty() {
            self.waiting.push_back(Event::Routes(std::mem::take(routes)));
        }
    }

    fn tell(&mut self, output: Output) {
        match output {
            Output::PeerUp { peer, address, families } => {
                tracing::info!(%address, ?families, "session up");
                self.waiting.push_back(Event::PeerUp { peer, address, families });
            }
            Output::PeerDown { peer, address, reason, retained } => {
                tracing::warn!(%address, %reason, ?retained, "session down");
                self.waiting.push_back(Event::PeerDown { peer, address, reason, retained });
            }
            Output::EndOfRib { peer, family } => self.waiting.push_back(Event::EndOfRib { peer, family }),
            Output::RestartComplete => self.waiting.push_back(Event::RestartComplete),
            Output::NextHops(uses) => self.waiting.push_back(Event::NextHops(uses)),
            Output::Faulty { peer, reason } => {
                if let Some(left_out) = self.faulty.take(Instant::now()) {
                    tracing::warn!(?peer, %reason, left_out, "faulty UPDATE");
                }
            }
            Output::Refused { remote, reason, .. } => {
                if let Some(left_out) = self.refused.take(Instant::now()) {
                    tracing::info!(%remote, reason, left_out, "connection refused");
                }
            }
            // Done by the links.
            Output::Connect { .. } | Output::Send { .. } | Output::Close { .. } => {}
            Output::Vrf(_) | Output::Unicast(_) => {}
        }
    }

    async fn shutdown(&mut self, keep: bool) {
        self.listeners.close().await;
        if keep {
            return self.links.abort_all();
        }
        for view in self.speaker.peer_views(Instant::now()) {
            self.handle(Input::Stop { peer: view.peer, subcode: cease_code::ADMIN_SHUTDOWN });
        }
        // Readers must not wait for an inbox that nobody empties.
        self.inbox.close();
        while self.inbox.try_recv().is_ok() {}
        self.links.closed().await;
    }
}

/// Never, when there is no deadline.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => future::pending().await,
    }
}
