//! BGP-4 on the wire: messages, path attributes and NLRI, bytes to types and back.
//!
//! No I/O, no clock, no session state: what a message means depends only on its octets and the [`Context`].

mod administrator;
pub mod attribute;
pub mod capability;
mod family;
pub mod message;
pub mod nlri;
mod reader;

pub use family::Family;
pub use message::{Context, Message};
