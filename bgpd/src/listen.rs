//! Sockets that peers connect to.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use bgp_core::config::Listen;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

use crate::links::Inbox;

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

/// The listening tasks by address; they end when this is dropped.
#[derive(Debug)]
pub(crate) struct Listeners {
    tasks: BTreeMap<SocketAddr, JoinHandle<()>>,
    inbox: mpsc::Sender<Inbox>,
}

impl Listeners {
    /// Binds every address before the first connection is taken.
    pub(crate) fn bind(listen: &Listen, inbox: mpsc::Sender<Inbox>) -> Result<Self, ListenError> {
        let mut listeners = Self { tasks: BTreeMap::new(), inbox };
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

    /// Listens no more.
    pub(crate) async fn close(&mut self) {
        self.release(|_| true).await;
    }

    /// An address is free only when the task has let its socket go.
    async fn release(&mut self, gone: impl Fn(&SocketAddr) -> bool) {
        let gone: Vec<_> = self.tasks.extract_if(.., |address, _| gone(address)).collect();
        for (_, task) in gone {
            task.abort();
            let _ = task.await;
        }
    }

    fn add(&mut self, address: SocketAddr) -> Result<(), ListenError> {
        if !self.tasks.contains_key(&address)
            && let Some(listener) = bind(address)?
        {
            self.tasks.insert(address, tokio::spawn(accept(listener, self.inbox.clone())));
        }
        Ok(())
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.tasks.values().for_each(JoinHandle::abort);
    }
}

fn addresses(listen: &Listen) -> Vec<SocketAddr> {
    let any = [IpAddr::V6(Ipv6Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::UNSPECIFIED)];
    let chosen = if listen.addresses.is_empty() { &any[..] } else { &listen.addresses };
    chosen.iter().map(|address| SocketAddr::new(*address, listen.port)).collect()
}

/// `None`: all addresses of a family that the kernel does not have.
fn bind(address: SocketAddr) -> Result<Option<TcpListener>, ListenError> {
    match try_bind(address) {
        Ok(listener) => Ok(Some(listener)),
        Err(e) if address.ip().is_unspecified() && is_family_missing(&e) => Ok(None),
        Err(source) => Err(ListenError { address, source }),
    }
}

fn is_family_missing(e: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    e.raw_os_error() == Some(EAFNOSUPPORT) || e.kind() == io::ErrorKind::AddrNotAvailable
}

fn try_bind(address: SocketAddr) -> io::Result<TcpListener> {
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
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

async fn accept(listener: TcpListener, inbox: mpsc::Sender<Inbox>) {
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

/// Addresses of both ends: remote, local.
pub(crate) fn ends(stream: &TcpStream) -> io::Result<(IpAddr, IpAddr)> {
    Ok((stream.peer_addr()?.ip(), stream.local_addr()?.ip()))
}
