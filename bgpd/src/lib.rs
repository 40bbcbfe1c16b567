//! The tokio driver of `bgp-core`: sockets, timers and the task that owns the speaker.
