//! One connection: a task that reads, a task that writes.

use std::{
    io::{self, IoSlice},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bgp_core::speaker::{ConnectionId, Input};
use bgp_wire::message::{Notification, frame_length};
use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    backlog::{Backlog, Pressure, SOFT},
    links::Inbox,
};

const READ_BUFFER: usize = 64 << 10;
/// A read offers the kernel this much at least.
const READ_SPARE: usize = 16 << 10;
/// Slices of one write; IOV_MAX is 1024.
const SLICES: usize = 256;
/// How long what is queued may take to go out behind a Close, and the peer to close its side.
const LINGER: Duration = Duration::from_secs(2);

/// The speaker's end of a connection.
#[derive(Debug)]
pub(crate) struct Connection {
    queue: mpsc::UnboundedSender<Bytes>,
    queued: Arc<AtomicUsize>,
    taken: Arc<AtomicU64>,
    backlog: Backlog,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Connection {
    /// `drained` is told when a queue that was long is short again.
    pub(crate) fn spawn(
        id: ConnectionId,
        stream: TcpStream,
        inbox: &mpsc::Sender<Inbox>,
        drained: &Arc<Notify>,
    ) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::warn!(%error, "TCP_NODELAY cannot be set: small updates will be late");
        }
        let (read_half, write_half) = stream.into_split();
        let (queue, queue_end) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let taken = Arc::new(AtomicU64::new(0));
        let writer = Writer {
            half: write_half,
            queued: Arc::clone(&queued),
            taken: Arc::clone(&taken),
            drained: Arc::clone(drained),
        };
        Self {
            queue,
            queued,
            taken,
            backlog: Backlog::default(),
            reader: tokio::spawn(read(id, read_half, inbox.clone())),
            writer: tokio::spawn(writer.run(queue_end)),
        }
    }

    pub(crate) fn send(&mut self, messages: Bytes) {
        if self.queued.fetch_add(messages.len(), Ordering::Relaxed) == 0 {
            self.backlog.begins();
        }
        // Fails only when the writer has met an error, of which the reader tells.
        let _ = self.queue.send(messages);
    }

    pub(crate) fn pressure(&mut self, now: Instant) -> Pressure {
        let taken = self.taken.load(Ordering::Relaxed);
        self.backlog.pressure(self.queued.load(Ordering::Relaxed), taken, now)
    }

    /// Lets out what is queued, then closes. The peer's last octets are read, lest the kernel answers them with
    /// a reset that overtakes our NOTIFICATION.
    pub(crate) async fn close(self) {
        let Self { queue, mut reader, mut writer, .. } = self;
        drop(queue);
        let both = async {
            let _ = (&mut writer).await;
            let _ = (&mut reader).await;
        };
        let _ = timeout(LINGER, both).await;
        reader.abort();
        writer.abort();
    }

    /// Closes at once, whatever is queued.
    pub(crate) fn abort(self) {
        self.reader.abort();
        self.writer.abort();
    }
}

async fn read(id: ConnectionId, mut half: OwnedReadHalf, inbox: mpsc::Sender<Inbox>) {
    let mut buffer = BytesMut::with_capacity(READ_BUFFER);
    loop {
        if buffer.capacity() - buffer.len() < READ_SPARE {
            buffer.reserve(READ_BUFFER);
        }
        let Ok(1..) = half.read_buf(&mut buffer).await else { break };
        let (length, fault) = whole_messages(&buffer);
        if length > 0 {
            let frames = buffer.split_to(length).freeze();
            if inbox.send(Inbox::Input(Input::Received { connection: id, frames })).await.is_err() {
                return;
            }
        }
        if let Some(notification) = fault {
            let _ = inbox.send(Inbox::Input(Input::Fault { connection: id, notification })).await;
            break;
        }
    }
    let _ = inbox.send(Inbox::Input(Input::Closed { connection: id })).await;
}

/// How many octets of `stream` are whole messages, and what is wrong behind them.
fn whole_messages(stream: &[u8]) -> (usize, Option<Notification>) {
    let mut length = 0;
    loop {
        match frame_length(&stream[length..]) {
            Ok(Some(next)) if next <= stream.len() - length => length += next,
            Ok(_) => return (length, None),
            Err(fault) => return (length, Some(fault)),
        }
    }
}

struct Writer {
    half: OwnedWriteHalf,
    queued: Arc<AtomicUsize>,
    taken: Arc<AtomicU64>,
    drained: Arc<Notify>,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Bytes>) {
        let mut batch = Vec::with_capacity(SLICES);
        while queue.recv_many(&mut batch, SLICES).await > 0 {
            if self.write(&batch).await.is_err() {
                return;
            }
            batch.clear();
        }
        let _ = self.half.shutdown().await;
    }

    async fn write(&mut self, batch: &[Bytes]) -> io::Result<()> {
        let mut slices: Vec<_> = batch.iter().map(|octets| IoSlice::new(octets)).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let written = self.half.write_vectored(rest).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, written);
            self.taken.fetch_add(written as u64, Ordering::Relaxed);
            let before = self.queued.fetch_sub(written, Ordering::Relaxed);
            if before > SOFT && before - written <= SOFT {
                self.drained.notify_one();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::backlog::{HARD, PATIENCE, SEND_HOLD};

    struct Pair {
        connection: Connection,
        peer: TcpStream,
        inbox: mpsc::Receiver<Inbox>,
        drained: Arc<Notify>,
    }

    impl Pair {
        async fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (ours, peer) =
                tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
            let (inbox_sender, inbox) = mpsc::channel(1);
            let drained = Arc::new(Notify::new());
            let connection =
                Connection::spawn(ConnectionId::Outgoing(0), ours.unwrap(), &inbox_sender, &drained);
            Self { connection, peer: peer.unwrap().0, inbox, drained }
        }
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_is_waited_for_then_passed_over_then_dropped() {
        let mut pair = Pair::new().await;
        let megabyte = Bytes::from(vec![0; 1 << 20]);
        let start = Instant::now();
        // The kernel takes some of it.
        while pair.connection.pressure(start) == Pressure::None {
            pair.connection.send(megabyte.clone());
            tokio::task::yield_now().await;
        }
        assert_eq!(pair.connection.pressure(start), Pressure::Wait(start + PATIENCE));
        assert_eq!(pair.connection.pressure(start + PATIENCE), Pressure::None);
        (0..=HARD >> 20).for_each(|_| pair.connection.send(megabyte.clone()));
        assert_eq!(pair.connection.pressure(start + PATIENCE), Pressure::Drop);
    }

    #[tokio::test]
    async fn a_peer_that_reads_again_wakes_the_tables_and_gets_every_octet() {
        let mut pair = Pair::new().await;
        let octets: Vec<u8> = (0..32 << 20).map(|n: u32| (n >> 8) as u8).collect();
        let octets = Bytes::from(octets);
        pair.connection.send(octets.clone());
        assert_ne!(pair.connection.pressure(Instant::now()), Pressure::None);
        let reader = async {
            let mut got = vec![0; octets.len()];
            pair.peer.read_exact(&mut got).await.unwrap();
            got
        };
        let (got, ()) = tokio::join!(reader, pair.drained.notified());
        assert!(got == octets);
        assert_eq!(pair.connection.pressure(Instant::now()), Pressure::None);
    }

    #[tokio::test]
    async fn a_long_silence_of_ours_is_not_held_against_the_peer() {
        let mut pair = Pair::new().await;
        let start = Instant::now();
        assert_eq!(pair.connection.pressure(start), Pressure::None);
        pair.connection.send(Bytes::from_static(b"keepalive"));
        assert_eq!(pair.connection.pressure(start + SEND_HOLD * 2), Pressure::None);
    }

    #[tokio::test]
    async fn what_was_queued_goes_out_before_the_connection_closes() {
        let mut pair = Pair::new().await;
        pair.connection.send(Bytes::from_static(b"last words"));
        // What the peer has sent and we do not read any more must not turn the close into a reset.
        pair.peer.write_all(&[0xff; 10]).await.unwrap();
        let closing = tokio::spawn(pair.connection.close());
        let mut got = Vec::new();
        pair.peer.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"last words");
        drop(pair.peer);
        closing.await.unwrap();
        assert!(matches!(pair.inbox.recv().await, Some(Inbox::Input(Input::Closed { .. }))));
    }

    #[test]
    fn a_stream_is_cut_at_the_end_of_its_last_whole_message() {
        let keepalive = [&[0xff; 16][..], &[0, 19, 4]].concat();
        let stream = [&keepalive[..], &keepalive, &keepalive[..7]].concat();
        assert_eq!(whole_messages(&stream), (38, None));
        let (length, fault) = whole_messages(&[&keepalive[..], &[0; 19]].concat());
        assert_eq!((length, fault.map(|n| (n.code, n.subcode))), (19, Some((1, 1))));
    }
}
