//! A packet as the programs see it: the frame's octets, the parsed inner header, and what the kernel can do to
//! the buffer around them. `Frame` and `Inner` know nothing of tc.

mod address;
pub(crate) mod checksum;
pub(crate) mod ecn;
mod frame;
pub(crate) mod hash;
pub(crate) mod headers;
mod inner;
mod on_the_way;
mod skb;
mod transport;
mod tuple;
mod upper;

pub(crate) use address::Address;
pub(crate) use frame::{Frame, bounded};
pub(crate) use inner::{Family, Inner};
pub(crate) use on_the_way::Packet;
pub(crate) use skb::{Skb, Zero};
pub(crate) use tuple::{Translation, Tuple};
pub(crate) use upper::{read as read_upper, tuple as read_tuple};
