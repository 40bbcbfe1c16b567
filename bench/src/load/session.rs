//! One BGP session of the benchmark, blocking and plain.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use bgp_wire::{
    Family, Message,
    capability::Capability,
    message::{Open, frame_length},
};
use bytes::{Buf, BytesMut};
use socket2::{Domain, Socket, Type};

use super::routes::context;

/// AS of the benchmark and the speaker under test.
const ASN: u16 = 65_000;

/// A session failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("{local} -> {target}: {source}; is the speaker under test up, and does it know this peer?")]
    Connect { local: IpAddr, target: SocketAddr, source: io::Error },
    #[error("the session broke: {0}")]
    Broken(#[from] io::Error),
    #[error("the speaker sent {0}")]
    Refused(String),
}

/// An established session.
pub(crate) struct Session {
    stream: TcpStream,
    unread: BytesMut,
}

impl Session {
    /// Connects and exchanges OPEN and KEEPALIVE.
    pub(crate) fn establish(
        target: SocketAddr,
        local: IpAddr,
        families: &[Family],
    ) -> Result<Self, SessionError> {
        let connect = || -> io::Result<TcpStream> {
            let socket = Socket::new(Domain::for_address(target), Type::STREAM, None)?;
            socket.bind(&SocketAddr::new(local, 0).into())?;
            socket.connect_timeout(&target.into(), Duration::from_secs(5))?;
            socket.set_tcp_nodelay(true)?;
            Ok(socket.into())
        };
        let stream = connect().map_err(|source| SessionError::Connect { local, target, source })?;
        let mut session = Self { stream, unread: BytesMut::new() };
        session.send(&Message::Open(open(local, families)))?;
        loop {
            match session.receive()? {
                Message::Open(_) => session.send(&Message::Keepalive)?,
                Message::Keepalive => return Ok(session),
                other => return Err(SessionError::Refused(format!("{other:?}"))),
            }
        }
    }

    /// The same session for another thread; what was read ahead stays here.
    pub(crate) fn writer(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }

    fn send(&mut self, message: &Message) -> io::Result<()> {
        let mut octets = Vec::new();
        message.encode(&context(), &mut octets);
        self.stream.write_all(&octets)
    }

    /// The next message.
    pub(crate) fn receive(&mut self) -> Result<Message, SessionError> {
        loop {
            let length = frame_length(&self.unread).map_err(|n| SessionError::Refused(format!("{n:?}")))?;
            if let Some(length) = length.filter(|length| *length <= self.unread.len()) {
                let frame = self.unread.split_to(length).freeze();
                return Message::decode(frame, &context())
                    .map_err(|n| SessionError::Refused(format!("{n:?}")));
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), SessionError> {
        let mut chunk = [0; 1 << 16];
        match self.stream.read(&mut chunk)? {
            0 => Err(SessionError::Refused("the end of the stream".to_owned())),
            n => {
                if !self.unread.has_remaining() {
                    self.unread.clear();
                }
                self.unread.extend_from_slice(&chunk[..n]);
                Ok(())
            }
        }
    }
}

fn open(local: IpAddr, families: &[Family]) -> Open {
    let router_id = match local {
        IpAddr::V4(address) => address,
        IpAddr::V6(address) => Ipv4Addr::from_bits(address.to_bits() as u32 | 0x0a00_0000),
    };
    let mut capabilities: Vec<_> = families.iter().copied().map(Capability::family).collect();
    capabilities.push(Capability::FourOctetAs(ASN.into()));
    // VPNv4 with an IPv6 next hop, RFC 8950.
    capabilities.push(Capability::ExtendedNextHop(vec![(1, 128, 2)]));
    Open { my_as: ASN, hold_time: 600, router_id, capabilities }
}
