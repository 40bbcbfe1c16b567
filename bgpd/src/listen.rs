//! Sockets that peers connect to.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::AsFd,
    sync::Arc,
    time::Duration,
};

use bgp_core::config::{Listen, PeerConfig, Secret};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

use crate::{
    links::Inbox,
    transport::{self, TransportError},
};

const BACKLOG: i32 = 512;
/// Pause after an error of accept(2), such as no file descriptor left.
const RETRY: Duration = Duration::from_millis(100);

/// A peer could not connect to us.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen at {address}: {source}; is another BGP speaker running, or may this user not bind the port?"
)]
pub struct ListenError {
    /// Where.
    pub address: SocketAddr,
    /// Why not.
    pub source: io::Error,
}

/// Peers whose segments are signed.
pub(crate) type Passwords = BTreeMap<IpAddr, Secret>;

/// The listening tasks by address; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Listeners {
    listening: BTreeMap<SocketAddr, Listening>,
    passwords: Passwords,
    inbox: mpsc::Sender<Inbox>,
}

#[derive(Debug)]
struct Listening {
    socket: Arc<TcpListener>,
    task: JoinHandle<()>,
}

impl Listeners {
    /// Binds every address before the first connection is taken.
    pub(crate) fn bind(
        listen: &Listen,
        passwords: Passwords,
        inbox: mpsc::Sender<Inbox>,
    ) -> Result<Self, ListenError> {
        let mut listeners = Self { listening: BTreeMap::new(), passwords, inbox };
        addresses(listen).into_iter().try_for_each(|address| listeners.add(address))?;
        Ok(listeners)
    }

    /// Listens at other addresses; those that stay are not touched, and each is tried whatever becomes of the rest.
    pub(crate) async fn rebind(&mut self, listen: &Listen) {
        let wanted = addresses(listen);
        self.release(|address| !wanted.contains(address)).await;
        for address in wanted {
            if let Err(error) = self.add(address) {
                tracing::error!(%error, "peers cannot connect to this address");
            }
        }
    }

    /// Takes other passwords over, for what is accepted from now on.
    pub(crate) fn sign(&mut self, passwords: Passwords) {
        let before = std::mem::replace(&mut self.passwords, passwords);
        for (address, Listening { socket, .. }) in &self.listening {
            let gone = before.keys().filter(|remote| !self.passwords.contains_key(remote));
            for remote in gone.filter(|remote| remote.is_ipv4() == address.is_ipv4()) {
                tell(*remote, transport::unsign(socket, *remote));
            }
            let changed = self.passwords.iter().filter(|(remote, new)| before.get(remote) != Some(new));
            sign(socket, *address, changed);
        }
    }

    /// Listens no more.
    pub(crate) async fn close(&mut self) {
        self.release(|_| true).await;
    }

    /// An address is free only when the task has let its socket go.
    async fn release(&mut self, gone: impl Fn(&SocketAddr) -> bool) {
        let gone: Vec<_> = self.listening.extract_if(.., |address, _| gone(address)).collect();
        for (_, Listening { socket, task }) in gone {
            drop(socket);
            task.abort();
            let _ = task.await;
        }
    }

    fn add(&mut self, address: SocketAddr) -> Result<(), ListenError> {
        if !self.listening.contains_key(&address)
            && let Some(listener) = bind(address, &self.passwords)?
        {
            let socket = Arc::new(listener);
            let task = tokio::spawn(accept(Arc::clone(&socket), self.inbox.clone()));
            self.listening.insert(address, Listening { socket, task });
        }
        Ok(())
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.listening.values().for_each(|listening| listening.task.abort());
    }
}

fn addresses(listen: &Listen) -> Vec<SocketAddr> {
    let any = [IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
    let chosen = if listen.addresses.is_empty() { &any[..] } else { &listen.addresses };
    chosen.iter().map(|address| SocketAddr::new(*address, listen.port)).collect()
}

/// `None`: all addresses of a family that the kernel does not have.
fn bind(address: SocketAddr, passwords: &Passwords) -> Result<Option<TcpListener>, ListenError> {
    match try_bind(address, passwords) {
        Ok(listener) => Ok(Some(listener)),
        Err(e) if address.ip().is_unspecified() && is_family_missing(&e) => Ok(None),
        Err(source) => Err(ListenError { address, source }),
    }
}

fn is_family_missing(e: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    e.raw_os_error() == Some(EAFNOSUPPORT) || e.kind() == io::ErrorKind::AddrNotAvailable
}

fn try_bind(address: SocketAddr, passwords: &Passwords) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    match address {
        SocketAddr::V4(_) => socket.set_freebind_v4(true)?,
        SocketAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_freebind_v6(true)?;
        }
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    // Before the first connection can come in.
    sign(&socket, address, passwords);
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(listener: Arc<TcpListener>, inbox: mpsc::Sender<Inbox>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if inbox.send(Inbox::Accepted(stream)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// A listener signs for peers of its own family.
fn sign<'a>(
    socket: &impl AsFd,
    at: SocketAddr,
    passwords: impl IntoIterator<Item = (&'a IpAddr, &'a Secret)>,
) {
    for (remote, password) in passwords.into_iter().filter(|(remote, _)| remote.is_ipv4() == at.is_ipv4()) {
        tell(*remote, transport::sign(socket, *remote, password));
    }
}

/// One peer's misfortune; [`transport::set`] keeps connections that would not be signed out.
fn tell(remote: IpAddr, result: Result<(), TransportError>) {
    if let Err(error) = result {
        tracing::error!(neighbor = %remote, %error, "the neighbor cannot connect to us");
    }
}

/// The passwords among the peers.
pub(crate) fn passwords(peers: &BTreeMap<IpAddr, PeerConfig>) -> Passwords {
    let password = |(remote, peer): (&IpAddr, &PeerConfig)| Some((*remote, peer.transport.password.clone()?));
    peers.iter().filter_map(password).collect()
}

/// Addresses of both ends: remote, local.
pub(crate) fn ends(stream: &TcpStream) -> io::Result<(IpAddr, IpAddr)> {
    Ok((stream.peer_addr()?.ip(), stream.local_addr()?.ip()))
}
