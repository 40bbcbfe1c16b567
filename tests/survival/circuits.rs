//! The tenants' ends of many circuits in one namespace: frames go out and come in by AF_PACKET, so that every tenant
//! can have the same addresses. What comes in is accounted for by the tenant that sent it.

use std::{
    collections::{BTreeMap, HashMap},
    io::ErrorKind,
    net::{Ipv4Addr, Ipv6Addr},
    os::fd::AsRawFd,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use etherparse::PacketBuilder;
use nix::{
    ifaddrs::getifaddrs,
    sys::socket::{LinkAddr, MsgFlags, recvfrom, sendto, setsockopt, sockopt::RcvBufForce},
};
use socket2::{Domain, Protocol, Socket, Type};

use crate::net::in_namespace;

/// `ETH_P_ALL`, of packet(7).
const EVERY_PROTOCOL: u16 = 3;
/// `PACKET_OUTGOING`: our own frames are shown to us as well.
const OUTGOING: u8 = 4;
/// In front of the tenant's number.
const MARK: &[u8; 8] = b"survival";

/// Frames by the tenant at whose end they came out, and the tenant who sent them.
pub(crate) type Arrivals = BTreeMap<(u16, u16), u64>;

/// One site of every tenant.
pub(crate) struct Site {
    /// 1 or 2; the other one is the destination.
    number: u8,
    socket: Arc<Socket>,
    circuits: BTreeMap<u16, LinkAddr>,
    arrivals: Arc<Mutex<Arrivals>>,
    done: Arc<AtomicBool>,
    receiver: Option<JoinHandle<()>>,
}

/// Of a tenant's end; the PE's end begins with 02:fe.
pub(crate) fn mac(kind: u8, site: u8, tenant: u16) -> [u8; 6] {
    let [high, low] = tenant.to_be_bytes();
    [2, kind, 0, site, high, low]
}

/// Second octet of a MAC address.
pub(crate) const TENANT: u8 = 1;
/// Second octet of a MAC address.
pub(crate) const PE: u8 = 0xfe;

pub(crate) fn interface(tenant: u16) -> String {
    format!("t{tenant}")
}

/// The same for every tenant.
pub(crate) fn host4(site: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, site, 2)
}

/// The same for every tenant.
pub(crate) fn host6(site: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, site.into(), 0, 0, 0, 0, 0, 2)
}

impl Site {
    /// Listens on all interfaces of the namespace.
    pub(crate) fn open(number: u8, namespace: &str, tenants: u16) -> Self {
        let protocol = Protocol::from(i32::from(EVERY_PROTOCOL.to_be()));
        let (socket, addresses) = in_namespace(namespace, || {
            let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol)).unwrap();
            let links = getifaddrs().unwrap().filter_map(|interface| {
                Some((interface.interface_name, *interface.address?.as_link_addr()?))
            });
            (socket, links.collect::<HashMap<_, _>>())
        });
        setsockopt(&socket, RcvBufForce, &(32 << 20)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let circuits = (0..tenants).map(|tenant| (tenant, addresses[&interface(tenant)]));
        let mut site = Self {
            number,
            socket: Arc::new(socket),
            circuits: circuits.collect(),
            arrivals: Arc::default(),
            done: Arc::default(),
            receiver: None,
        };
        site.listen();
        site
    }

    fn listen(&mut self) {
        let by_index: HashMap<_, _> =
            self.circuits.iter().map(|(tenant, link)| (link.ifindex(), *tenant)).collect();
        let (socket, arrivals, done) =
            (Arc::clone(&self.socket), Arc::clone(&self.arrivals), Arc::clone(&self.done));
        self.receiver = Some(thread::spawn(move || {
            let mut frame = [0; 2048];
            while !done.load(Ordering::Relaxed) {
                let Some((len, link)) = receive(&socket, &mut frame) else { continue };
                if let (Some(at), Some(from)) = (by_index.get(&link.ifindex()), sender(&frame[..len])) {
                    *arrivals.lock().unwrap().entry((*at, from)).or_default() += 1;
                }
            }
        }));
    }

    /// A packet of each family from a tenant to its other site.
    pub(crate) fn send(&self, tenant: u16) {
        let payload = [MARK.as_slice(), &tenant.to_be_bytes()].concat();
        let other = 3 - self.number;
        let ethernet =
            || PacketBuilder::ethernet2(mac(TENANT, self.number, tenant), mac(PE, self.number, tenant));
        let (from4, to4) = (host4(self.number).octets(), host4(other).octets());
        let (from6, to6) = (host6(self.number).octets(), host6(other).octets());
        for packet in [ethernet().ipv4(from4, to4, 64), ethernet().ipv6(from6, to6, 64)] {
            let mut frame = Vec::new();
            packet.udp(4000, 4000).write(&mut frame, &payload).unwrap();
            sendto(self.socket.as_raw_fd(), &frame, &self.circuits[&tenant], MsgFlags::empty()).unwrap();
        }
    }

    /// What has arrived so far.
    pub(crate) fn arrivals(&self) -> Arrivals {
        self.arrivals.lock().unwrap().clone()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        let _ = self.receiver.take().map(JoinHandle::join);
    }
}

fn receive(socket: &Socket, frame: &mut [u8]) -> Option<(usize, LinkAddr)> {
    match recvfrom::<LinkAddr>(socket.as_raw_fd(), frame) {
        Ok((len, link)) => link.filter(|link| link.pkttype() != OUTGOING).map(|link| (len, link)),
        // The time-out; an interface that goes down says so once.
        Err(error) => {
            let error = std::io::Error::from(error);
            assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NetworkDown), "{error}");
            None
        }
    }
}

/// The tenant whose number a frame carries; `None`: neighbour discovery and the like.
fn sender(frame: &[u8]) -> Option<u16> {
    let at = frame.windows(MARK.len()).position(|window| window == MARK)?;
    frame[at + MARK.len()..].first_chunk().copied().map(u16::from_be_bytes)
}
