//! A peer written by hand on a blocking socket.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
};

use bgp_wire::{
    Context, Family, Message,
    capability::Capability,
    message::{NextHop, Open, UpdateWriter},
    nlri::{Nlri, Prefix, Prefix4},
};

use super::Addresses;

/// Speaks when told to.
pub(super) struct RawPeer(pub(super) TcpStream);

impl RawPeer {
    /// Establishes a session as 127.x.0.`host`.
    pub(super) fn establish(net: Addresses, host: u8, speaker: u8) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(net.host(host), 0).into()).unwrap();
        socket.connect(&SocketAddr::new(net.host(speaker), Addresses::PORT).into()).unwrap();
        let mut peer = Self(socket.into());
        peer.0.set_nodelay(true).unwrap();
        peer.send(&Message::Open(Open {
            my_as: 65000,
            hold_time: 90,
            router_id: Ipv4Addr::new(10, 0, 0, host),
            capabilities: vec![Capability::family(Family::Ipv4Unicast), Capability::FourOctetAs(65000)],
        }));
        assert!(matches!(peer.receive(), Message::Open(_)));
        peer.send(&Message::Keepalive);
        assert_eq!(peer.receive(), Message::Keepalive);
        peer
    }

    fn send(&mut self, message: &Message) {
        let mut octets = Vec::new();
        message.encode(&Context::default(), &mut octets);
        self.0.write_all(&octets).unwrap();
    }

    pub(super) fn receive(&mut self) -> Message {
        let mut header = [0; 19];
        self.0.read_exact(&mut header).unwrap();
        let mut frame = header.to_vec();
        frame.resize(usize::from(u16::from_be_bytes([header[16], header[17]])), 0);
        self.0.read_exact(&mut frame[19..]).unwrap();
        Message::decode(frame.into(), &context()).unwrap()
    }
}

fn context() -> Context {
    Context { four_octet_as: true, ..Context::default() }
}

/// ORIGIN IGP, AS_PATH empty, LOCAL_PREF 100.
const ATTRIBUTES: &[u8] = &[0x40, 1, 1, 0, 0x40, 2, 0, 0x40, 5, 4, 0, 0, 0, 100];

/// UPDATEs that announce 10.0.0.0/24 and the `count` - 1 behind it.
pub(super) fn updates(count: u32) -> Vec<u8> {
    let nlri = |n: u32| Nlri {
        path_id: 0,
        rd: None,
        label: None,
        prefix: Prefix::V4(Prefix4 { addr: (0x0a00_0000 + (n << 8)).to_be_bytes(), len: 24 }),
    };
    let mut octets = Vec::new();
    let writer = UpdateWriter::new(Family::Ipv4Unicast, &context());
    for first in (0..count).step_by(10) {
        let routes = (first..count.min(first + 10)).map(nlri);
        writer.announce(NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)), ATTRIBUTES, routes, &mut octets).unwrap();
    }
    octets
}

pub(super) fn routes_received(peer: &mut RawPeer, goal: u32) -> u32 {
    let mut routes = 0;
    while routes < goal {
        if let Message::Update(update) = peer.receive() {
            routes += update.announced.iter().map(|a| a.nlri.iter().count() as u32).sum::<u32>();
        }
    }
    routes
}
