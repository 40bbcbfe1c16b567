//! A flood of echo requests that accounts for every single one: `ping -i 0.002` with a ledger.

use std::{
    collections::BTreeSet,
    fmt,
    io::Read,
    mem,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use lab::wait_until;
use socket2::{Domain, Protocol, Socket, Type};

use crate::net::{Net, in_namespace};

/// 500 a second.
const PERIOD: Duration = Duration::from_millis(2);
/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs from [`Flood::start`] to [`Flood::finish`].
pub(crate) struct Flood<'a> {
    net: &'a Net,
    name: String,
    target: String,
    to: IpAddr,
    ledger: Arc<Ledger>,
    /// Echo requests that the target had seen before.
    seen_before: u64,
    /// Sender and receiver.
    threads: Option<(JoinHandle<()>, JoinHandle<()>)>,
}

/// What became of a flood.
#[derive(Debug)]
pub(crate) struct Outcome {
    name: String,
    pub(crate) sent: usize,
    pub(crate) lost: usize,
    /// Requests that came out at the target, as its kernel counts them.
    pub(crate) arrived: u64,
    /// Since the start of the flood: when the first and the last lost request were sent.
    gap: Option<(Duration, Duration)>,
}

#[derive(Default)]
struct Ledger {
    /// No more requests.
    stop: AtomicBool,
    /// No more answers.
    done: AtomicBool,
    sent: Mutex<Vec<Instant>>,
    unanswered: Mutex<BTreeSet<u64>>,
}

impl<'a> Flood<'a> {
    /// From a node to `address`, which is `target`'s. Both ends have to know each other already: the first packet of all
    /// may wait for a neighbour.
    pub(crate) fn start(net: &'a Net, from: &str, target: &str, address: &str) -> Self {
        let to: IpAddr = address.parse().unwrap();
        let (domain, protocol) = match to {
            IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
            IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
        };
        let socket =
            in_namespace(&net.namespace(from), || Socket::new(domain, Type::RAW, Some(protocol)).unwrap());
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        socket.set_recv_buffer_size(1 << 20).unwrap();
        let ledger = Arc::<Ledger>::default();
        let seen_before = net.echoes(target, to);
        let (socket, ident) = (Arc::new(socket), fresh_ident());
        let sender = thread::spawn({
            let (socket, ledger) = (Arc::clone(&socket), Arc::clone(&ledger));
            move || send(&socket, to, ident, &ledger)
        });
        let receiver = thread::spawn({
            let ledger = Arc::clone(&ledger);
            move || receive(&socket, ident, &ledger)
        });
        let name = format!("{from} to {address}");
        Self {
            net,
            name,
            target: target.to_owned(),
            to,
            ledger,
            seen_before,
            threads: Some((sender, receiver)),
        }
    }

    /// Ends the flood when every answer is there, or late.
    pub(crate) fn finish(mut self) -> Outcome {
        let (sender, receiver) = self.threads.take().unwrap();
        self.ledger.stop.store(true, Ordering::Relaxed);
        sender.join().unwrap();
        let _all_answered = wait_until(PATIENCE, || self.ledger.unanswered().is_empty());
        self.ledger.done.store(true, Ordering::Relaxed);
        receiver.join().unwrap();
        let (sent, lost) = (self.ledger.sent(), self.ledger.unanswered());
        let at = |number: &u64| sent[usize::try_from(*number).unwrap()] - sent[0];
        Outcome {
            name: mem::take(&mut self.name),
            sent: sent.len(),
            lost: lost.len(),
            arrived: self.net.echoes(&self.target, self.to) - self.seen_before,
            gap: lost.first().map(at).zip(lost.last().map(at)),
        }
    }
}

/// Ends floods; of every request of theirs the answer is there.
#[track_caller]
pub(crate) fn assert_lossless<'a>(floods: impl IntoIterator<Item = Flood<'a>>) {
    for outcome in floods.into_iter().map(Flood::finish).collect::<Vec<_>>() {
        println!("{outcome}");
        outcome.assert_lossless();
    }
}

impl Drop for Flood<'_> {
    fn drop(&mut self) {
        self.ledger.stop.store(true, Ordering::Relaxed);
        self.ledger.done.store(true, Ordering::Relaxed);
    }
}

impl Outcome {
    /// Every request arrived at its target, once, and came back.
    #[track_caller]
    pub(crate) fn assert_lossless(&self) {
        assert!(self.sent > 100, "the flood did not flow: {self}");
        assert_eq!(self.lost, 0, "{self}");
        assert_eq!(self.arrived, self.sent as u64, "{self}");
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} sent, {} arrived, {} lost", self.name, self.sent, self.arrived, self.lost)?;
        match self.gap {
            Some((first, last)) => write!(f, " between {first:.2?} and {last:.2?} after the start"),
            None => Ok(()),
        }
    }
}

impl Ledger {
    fn sent(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.sent.lock().unwrap()
    }

    fn unanswered(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.unanswered.lock().unwrap()
    }
}

/// Floods of one namespace tell their answers apart by it.
fn fresh_ident() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn send(socket: &Socket, to: IpAddr, ident: u16, ledger: &Ledger) {
    let address = SocketAddr::new(to, 0).into();
    for number in 0.. {
        if ledger.stop.load(Ordering::Relaxed) {
            return;
        }
        ledger.sent().push(Instant::now());
        ledger.unanswered().insert(number);
        // What the host itself refuses stays unanswered.
        let _refused = socket.send_to(&echo_request(to, ident, number), &address);
        thread::sleep(PERIOD);
    }
}

fn receive(mut socket: &Socket, ident: u16, ledger: &Ledger) {
    let mut packet = [0; 256];
    while !ledger.done.load(Ordering::Relaxed) {
        // An error is a time-out, or an ICMP error's: what it is about stays unanswered.
        if let Ok(len) = socket.read(&mut packet)
            && let Some(number) = echo_reply(&packet[..len], ident)
        {
            ledger.unanswered().remove(&number);
        }
    }
}

/// ICMP echo request: type, code, checksum, identifier, sequence number, and our number as payload (RFC 792, RFC 4443
/// section 4.1). The kernel sums ICMPv6.
fn echo_request(to: IpAddr, ident: u16, number: u64) -> Vec<u8> {
    let kind = if to.is_ipv4() { 8 } else { 128 };
    let mut packet = vec![kind, 0, 0, 0];
    packet.extend(ident.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(number.to_be_bytes());
    let sum = checksum(&packet);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The number of an answer to us; an IPv4 socket shows the IP header as well.
fn echo_reply(packet: &[u8], ident: u16) -> Option<u64> {
    let icmp = match packet.first()? >> 4 {
        4 => packet.get(usize::from(packet[0] & 0xf) * 4..)?,
        _ => packet,
    };
    let (header, payload) = icmp.split_at_checked(8)?;
    let ours = matches!(header[0], 0 | 129) && header[4..6] == ident.to_be_bytes();
    ours.then(|| payload.try_into().map(u64::from_be_bytes).ok()).flatten()
}

/// RFC 1071, of an even number of octets.
fn checksum(bytes: &[u8]) -> u16 {
    let sum: u32 = bytes.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap()
}
