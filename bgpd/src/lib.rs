//! The tokio driver of `bgp-core`: sockets, timers and the task that owns the speaker.
//!
//! One task owns the [`Speaker`](bgp_core::speaker::Speaker); a reader task per connection cuts the stream into
//! messages, a writer task per connection puts many of them into one write. Nothing waits for a timer: what has
//! changed goes out as soon as there is nothing more to take in.
//!
//! **A slow peer.** What a peer does not read is queued. While a queue is beyond [`backlog::SOFT`] the tables
//! hand out nothing new (they keep changes as state, not as a list), for [`backlog::PATIENCE`] at most; then the
//! others are served without regard to that peer, which is dropped (Cease 6/8) when its queue passes
//! [`backlog::HARD`] or when it took nothing of it for [`backlog::SEND_HOLD`].
//!
//! **A slow owner.** While [`Event`]s are not taken the tables hand out nothing new either; sessions live on.

pub mod backlog;
mod connect;
mod connection;
mod handle;
mod links;
mod listen;
mod log_budget;
mod task;
mod transport;

use bgp_core::config::SpeakerConfig;
pub use handle::{Event, Gone, Handle, RouteChange};
pub use listen::ListenError;
use tokio::sync::mpsc;

/// Batches that may wait for the taker of events.
const EVENTS: usize = 256;
const COMMANDS: usize = 64;

/// Starts a speaker on the current runtime. It ends when every [`Handle`] is dropped or at [`Handle::shutdown`].
pub fn spawn(config: SpeakerConfig) -> Result<(Handle, mpsc::Receiver<Event>), ListenError> {
    let (commands, command_queue) = mpsc::channel(COMMANDS);
    let (events, event_queue) = mpsc::channel(EVENTS);
    let task = task::Task::new(config, command_queue, events)?;
    tokio::spawn(task.run());
    Ok((Handle::new(commands), event_queue))
}
