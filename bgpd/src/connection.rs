//! One connection: a task that reads, a task that writes.

use std::{
    io::{self, IoSlice},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
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
        let writer = Writer { half: write_half, queued: Arc::clone(&queued), drained: Arc::clone(drained) };
        Self {
            queue,
            queued,
            backlog: Backlog::default(),
            reader: tokio::spawn(read(id, read_half, inbox.clone())),
            writer: tokio::spawn(writer.run(queue_end)),
        }
    }

    pub(crate) fn send(&self, messages: Bytes) {
        self.queued.fetch_add(messages.len(), Ordering::Relaxed);
        // Fails only when the writer has met an error, of which the reader tells.
        let _ = self.queue.send(messages);
    }

    pub(crate) fn pressure(&mut self, now: Instant) -> Pressure {
        self.backlog.pressure(self.queued.load(Ordering::Relaxed), now)
    }

    /// Lets out what is queued, then closes. The peer's last octets are read, lest the kernel answers them with
    /// a reset that overtakes our NOTIFICATION.
    pub(crate) fn close(self) -> JoinHandle<()> {
        let Self { queue, mut reader, mut writer, .. } = self;
        drop(queue);
        tokio::spawn(async move {
            let both = async {
                let _ = (&mut writer).await;
                let _ = (&mut reader).await;
            };
            let _ = timeout(LINGER, both).await;
            reader.abort();
            writer.abort();
        })
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
            let before = self.queued.fetch_sub(written, Ordering::Relaxed);
            if before > SOFT && before - written <= SOFT {
                self.drained.notify_one();
            }
        }
        Ok(())
    }
}
