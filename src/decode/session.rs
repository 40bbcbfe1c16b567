//! What the OPENs of a captured session say about the messages behind them.

use std::{collections::BTreeMap, net::SocketAddr};

use bgp_wire::{
    Context, Family, Message,
    capability::Capability,
    message::{HEADER_OCTETS, Open, frame_length},
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
    /// What of the capture could not be read.
    notes: Vec<String>,
}

struct Stream {
    octets: Reassembly,
    /// Whether the run begins with a message; else the next marker is to be found.
    in_step: bool,
    open: Option<Open>,
}

impl Stream {
    const fn new(octets: Reassembly, in_step: bool) -> Self {
        Self { octets, in_step, open: None }
    }

    /// Octets that are no message are one frame up to the next marker, to be shown as an error.
    fn next_frame(&mut self) -> Option<Bytes> {
        let run = self.octets.run();
        if !self.in_step {
            let known = run.len().saturating_sub(HEADER_OCTETS - 1);
            let skipped = marker(run);
            drop(run.split_to(skipped.unwrap_or(known)));
            skipped?;
            self.in_step = true;
        }
        let length = match frame_length(run) {
            Ok(length) => length.filter(|length| *length <= run.len())?,
            Err(_) => {
                self.in_step = false;
                marker(&run[1..]).map_or(run.len(), |behind| behind + 1)
            }
        };
        Some(run.split_to(length).freeze())
    }
}

impl Sessions {
    pub(super) const fn new(fallback: Context) -> Self {
        Self { fallback, streams: BTreeMap::new(), notes: Vec::new() }
    }

    /// The messages that the segment completes.
    pub(super) fn receive(&mut self, segment: &Segment) -> Vec<View> {
        let direction = (segment.from, segment.to);
        let mut views = Vec::new();
        if segment.syn
            && !self.streams.get(&direction).is_some_and(|old| old.octets.began_with(segment.sequence))
        {
            views = self.finish(direction);
            self.streams.insert(direction, Stream::new(Reassembly::syn(segment.sequence), true));
        }
        let first = segment.sequence.wrapping_add(segment.syn.into());
        let begun_within = || Stream::new(Reassembly::begun(), false);
        while !self
            .streams
            .entry(direction)
            .or_insert_with(begun_within)
            .octets
            .insert(first, &segment.payload)
        {
            if !self.skip_gap(direction) {
                self.note(
                    direction,
                    "octets are missing, how many is not known; reading on at the next marker",
                );
                self.streams.insert(direction, begun_within());
            }
            views.extend(self.messages(direction));
        }
        views.extend(self.messages(direction));
        views
    }

    /// The messages behind the gaps of every connection, at the end of the capture.
    pub(super) fn finish_all(&mut self) -> Vec<View> {
        let directions: Vec<_> = self.streams.keys().copied().collect();
        directions.into_iter().flat_map(|direction| self.finish(direction)).collect()
    }

    /// What of the capture could not be read, and where.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    fn finish(&mut self, direction: Direction) -> Vec<View> {
        let mut views = Vec::new();
        while self.skip_gap(direction) {
            views.extend(self.messages(direction));
        }
        let left = self.streams.get_mut(&direction).map_or(0, |stream| stream.octets.run().len());
        if left > 0 {
            self.note(direction, &format!("the last {left} octets are not a whole message"));
        }
        views
    }

    /// Whether there was one.
    fn skip_gap(&mut self, direction: Direction) -> bool {
        let Some(stream) = self.streams.get_mut(&direction) else { return false };
        let Some(missing) = stream.octets.skip_gap() else { return false };
        stream.in_step = false;
        self.note(direction, &format!("{missing} octets are missing; reading on at the next marker"));
        true
    }

    fn note(&mut self, (from, to): Direction, what: &str) {
        self.notes.push(format!("{from} > {to}: {what}"));
    }

    fn messages(&mut self, direction: Direction) -> Vec<View> {
        let mut views = Vec::new();
        while let Some(frame) = self.streams.get_mut(&direction).and_then(Stream::next_frame) {
            let context = self.context(direction);
            let message = Message::decode(frame, &context);
            if let (Ok(Message::Open(open)), Some(stream)) = (&message, self.streams.get_mut(&direction)) {
                stream.open = Some(open.clone());
            }
            views.push(View::of(message, &context).between(direction));
        }
        views
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

/// Where the next message begins: sixteen ones, with a length and a type that can be. The type tells the marker from
/// ones in front of it.
fn marker(run: &[u8]) -> Option<usize> {
    let begins = |header: &[u8]| frame_length(header).is_ok() && (1..=5).contains(&header[HEADER_OCTETS - 1]);
    run.windows(HEADER_OCTETS).position(begins)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// KEEPALIVE.
    const MESSAGE: [u8; 19] =
        [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 19, 4];

    fn segment(sequence: u32, payload: &[u8]) -> Segment {
        let end = |host| SocketAddr::from(([192, 0, 2, host], 179));
        Segment { from: end(1), to: end(2), sequence, syn: false, payload: payload.to_vec() }
    }

    /// How many whole messages and how many errors came out, to the end of the capture, and what was noted.
    fn read(segments: &[Segment]) -> (usize, usize, Vec<String>) {
        let mut sessions = Sessions::new(Context::default());
        let mut views: Vec<_> = segments.iter().flat_map(|segment| sessions.receive(segment)).collect();
        views.extend(sessions.finish_all());
        let whole = views.iter().filter(|view| view.is_well_formed()).count();
        (whole, views.len() - whole, sessions.notes().to_vec())
    }

    fn syn(sequence: u32) -> Segment {
        Segment { syn: true, ..segment(sequence, &[]) }
    }

    #[test]
    fn a_gap_costs_the_messages_in_it_and_is_told() {
        let stream = MESSAGE.repeat(5);
        let segments = [syn(0), segment(1, &stream[..30]), segment(51, &stream[50..])];
        let (whole, errors, notes) = read(&segments);
        assert_eq!((whole, errors), (3, 0), "the first, and the two behind the gap");
        assert!(notes[0].contains("20 octets are missing"), "{notes:?}");
    }

    #[test]
    fn a_capture_that_begins_within_a_message_is_read_from_the_next_one() {
        let stream = MESSAGE.repeat(3);
        for cut in 1..19 {
            assert_eq!(read(&[segment(1000, &stream[cut..])]).0, 2, "cut {cut}");
        }
        let inner_ones = [&[255; 21][..], &MESSAGE].concat();
        assert_eq!(read(&[segment(1000, &inner_ones)]).0, 1, "ones before the marker");
    }

    #[test]
    fn what_is_no_message_is_one_error_up_to_the_next_marker() {
        let stream = [&MESSAGE[..], b"no message at all, not even close", &MESSAGE, &MESSAGE].concat();
        assert_eq!(read(&[syn(0), segment(1, &stream)]), (3, 1, vec![]));
    }

    #[test]
    fn a_repeated_syn_does_not_begin_the_stream_anew() {
        let segments = [syn(7), segment(8, &MESSAGE[..9]), syn(7), segment(17, &MESSAGE[9..])];
        assert_eq!(read(&segments), (1, 0, vec![]));
    }

    #[test]
    fn more_gaps_than_can_be_held_are_skipped_at_once() {
        let mut segments = vec![syn(0)];
        segments.extend((0..100).map(|n| segment(11 + n * 100, &MESSAGE)));
        let (whole, _, notes) = read(&segments);
        assert_eq!((whole, notes.len()), (100, 100));
    }

    #[test]
    fn a_leap_out_of_every_window_is_read_on_from() {
        let segments = [syn(0), segment(1, &MESSAGE), segment(1 << 30, &MESSAGE)];
        let (whole, _, notes) = read(&segments);
        assert_eq!((whole, notes.len()), (2, 1), "{notes:?}");
    }

    #[test]
    fn a_message_cut_off_at_the_end_is_told() {
        let (whole, errors, notes) = read(&[syn(0), segment(1, &MESSAGE), segment(20, &MESSAGE[..18])]);
        assert_eq!((whole, errors), (1, 0));
        assert!(notes[0].contains("the last 18 octets"), "{notes:?}");
    }
}
