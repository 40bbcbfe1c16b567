//! Clients in nodes of a lab that talk to `containerlab/answer.py`: who answers, and whom does it see?
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{IpAddr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use lab::Node;
use socket2::{Domain, Protocol, Socket, Type};

use crate::wire::inside;

/// For one answer: longer than a packet that is sent again after a loss takes, shorter than what looks like a hang.
const PATIENCE: Duration = Duration::from_secs(4);

/// What a server says of itself and of its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Name of the node.
    pub(crate) by: String,
    /// The client as the server sees it.
    pub(crate) sees: SocketAddr,
}

impl Answer {
    /// `NAME sees ADDRESS port PORT`.
    pub(crate) fn parse(line: &str) -> io::Result<Self> {
        let words: Vec<_> = line.split_whitespace().collect();
        let [by, "sees", address, "port", port] = words[..] else {
            return Err(io::Error::other(format!("no answer: {line:?}")));
        };
        let sees = SocketAddr::new(address.parse::<IpAddr>().unwrap(), port.parse().unwrap());
        Ok(Self { by: by.to_owned(), sees })
    }
}

/// A connection, from its first answer on.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    pub(crate) answer: Answer,
}

impl Connection {
    /// From the port, or from any if it is 0.
    pub(crate) fn open(node: &Node<'_>, port: u16, to: SocketAddr) -> io::Result<Self> {
        let socket = inside(node, || {
            let socket = bound(Type::STREAM, Protocol::TCP, port, to)?;
            socket.connect_timeout(&to.into(), PATIENCE).map(|()| socket)
        })?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let answer = Answer::parse(&line(&mut stream)?)?;
        Ok(Self { stream, answer })
    }

    /// Says something and hears it again.
    pub(crate) fn echoes(&mut self) -> io::Result<()> {
        self.stream.get_mut().write_all(b"still there\n")?;
        match line(&mut self.stream)?.as_str() {
            "still there\n" => Ok(()),
            other => Err(io::Error::other(format!("came back as {other:?}"))),
        }
    }
}

fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).map(|_| line)
}

/// Asks once over UDP, from the port, or from any if it is 0.
pub(crate) fn ask(node: &Node<'_>, port: u16, to: SocketAddr) -> io::Result<Answer> {
    let socket = inside(node, || {
        let socket = bound(Type::DGRAM, Protocol::UDP, port, to)?;
        socket.connect(&to.into()).map(|()| UdpSocket::from(socket))
    })?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send(b"who are you?")?;
    let mut octets = [0; 256];
    let length = socket.recv(&mut octets)?;
    Answer::parse(&String::from_utf8_lossy(&octets[..length]))
}

fn bound(kind: Type, protocol: Protocol, port: u16, to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(to), kind, Some(protocol))?;
    let any: IpAddr = if to.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    socket.set_reuse_address(true)?;
    if to.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&SocketAddr::new(any, port).into()).map(|()| socket)
}
