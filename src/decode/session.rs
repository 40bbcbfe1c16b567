//! What the OPENs of a captured session say about the messages behind them.

use std::{collections::BTreeMap, net::SocketAddr};

use bgp_wire::{
    Context, Family, Message,
    capability::Capability,
    message::{Open, frame_length},
};
use bytes::Bytes;

use super::{capture::Segment, reassembly::Reassembly, view::View};

/// Sender and receiver.
type Direction = (SocketAddr, SocketAddr);

/// Every connection of a capture.
pub(super) struct Sessions {
    /// Where no OPEN was seen.
    fallback: Context,
    streams: BTreeMap<Direction, Stream>,
}

#[derive(Default)]
struct Stream {
    octets: Reassembly,
    open: Option<Open>,
}

impl Sessions {
    pub(super) const fn new(fallback: Context) -> Self {
        Self { fallback, streams: BTreeMap::new() }
    }

    /// The messages that the segment completes.
    pub(super) fn receive(&mut self, segment: Segment) -> Vec<View> {
        let direction = (segment.from, segment.to);
        let stream = self.streams.entry(direction).or_default();
        if segment.syn {
            stream.octets.syn(segment.sequence);
            stream.open = None;
        }
        stream.octets.insert(segment.sequence.wrapping_add(segment.syn.into()), segment.payload);
        let mut views = Vec::new();
        while let Some(frame) = self.next_frame(direction) {
            let context = self.context(direction);
            let message = Message::decode(frame, &context);
            if let (Ok(Message::Open(open)), Some(stream)) = (&message, self.streams.get_mut(&direction)) {
                stream.open = Some(open.clone());
            }
            views.push(View::of(message, &context).between(direction));
        }
        views
    }

    /// Connections whose last octets are no whole message, with their number.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = (String, usize)> {
        let left =
            self.streams.iter().map(|((from, to), stream)| (format!("{from} > {to}"), stream.octets.left()));
        left.filter(|(_, left)| *left > 0)
    }

    /// A stream out of step is given up: all that is there goes out as one frame, to be shown as an error.
    fn next_frame(&mut self, direction: Direction) -> Option<Bytes> {
        let run = self.streams.get_mut(&direction)?.octets.run();
        let length = match frame_length(run) {
            Ok(length) => length.filter(|length| *length <= run.len())?,
            Err(_) => run.len(),
        };
        Some(run.split_to(length).freeze())
    }

    /// RFC 5492: a capability is in force where both have it.
    fn context(&self, (from, to): Direction) -> Context {
        let open = |direction| self.streams.get(&direction).and_then(|stream: &Stream| stream.open.as_ref());
        let (Some(sender), Some(receiver)) = (open((from, to)), open((to, from))) else {
            return self.fallback.clone();
        };
        let both = |wanted: fn(&Capability) -> bool| {
            [sender, receiver].iter().all(|open| open.capabilities.iter().any(wanted))
        };
        let add_path = |family: &Family| mode(sender, *family) & 2 != 0 && mode(receiver, *family) & 1 != 0;
        Context {
            four_octet_as: both(|capability| matches!(capability, Capability::FourOctetAs(_))),
            add_path: Family::ALL.into_iter().filter(add_path).collect(),
            extended_message: both(|capability| matches!(capability, Capability::ExtendedMessage)),
            external: sender.asn() != receiver.asn(),
        }
    }
}

/// RFC 7911 section 4: 1 receives path identifiers, 2 sends them.
fn mode(open: &Open, family: Family) -> u8 {
    let (afi, safi) = family.code();
    let families = open.capabilities.iter().filter_map(|capability| match capability {
        Capability::AddPath(families) => Some(families),
        _ => None,
    });
    let modes = families.flatten().filter(|entry| (entry.0, entry.1) == (afi, safi)).map(|entry| entry.2);
    modes.fold(0, |all, mode| all | mode)
}
