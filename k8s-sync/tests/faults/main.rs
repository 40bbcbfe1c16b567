//! Whatever the API server does: the world ends right, and on the way nothing is missing that was there all the time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod lists;
mod outages;
mod scene;
mod secrets;
mod server;
mod start;
mod watches;
mod wire;
