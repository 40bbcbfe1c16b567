//! Runs containerlab topologies on one machine with no container engine: a node is an init process in network,
//! mount, UTS, IPC and PID namespaces of its own, and ends when that process is killed.
//! For the `lab` program, and for tests that want a network: see [`Lab`].
mod binary;
mod down;
mod error;
pub mod image;
pub mod inspect;
#[doc(hidden)]
pub mod internal;
mod lab;
mod links;
mod main_program;
mod node;
mod process;
mod progress;
mod state;
pub mod topology;
mod up;

pub use error::LabError;
pub use lab::{Lab, Node, Running, wait_until};
pub use nix::sys::signal::Signal;
pub use progress::Progress;
pub use up::UpOptions;
