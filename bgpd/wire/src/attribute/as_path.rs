use std::fmt;

use crate::reader::Reader;

/// Kind of an AS_PATH segment, RFC 4271 section 4.3 and RFC 5065.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SegmentKind {
    /// 1.
    Set,
    /// 2.
    Sequence,
    /// 3.
    ConfedSequence,
    /// 4.
    ConfedSet,
}

/// One segment: 1 to 255 AS numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Kind.
    pub kind: SegmentKind,
    /// Members in the order of the message.
    pub asns: Vec<u32>,
}

/// AS_PATH, RFC 4271 section 5.1.2; empty in iBGP-originated routes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AsPath(pub Vec<Segment>);

/// Stands for a number that does not fit in two octets, RFC 6793 section 9.
pub const AS_TRANS: u16 = 23456;

/// Most members of a segment: its count is one octet.
const SEGMENT_MAX: usize = 255;

impl SegmentKind {
    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Set,
            2 => Self::Sequence,
            3 => Self::ConfedSequence,
            4 => Self::ConfedSet,
            _ => return None,
        })
    }

    const fn code(self) -> u8 {
        match self {
            Self::Set => 1,
            Self::Sequence => 2,
            Self::ConfedSequence => 3,
            Self::ConfedSet => 4,
        }
    }

    /// Whether it belongs to a confederation, RFC 5065.
    pub const fn is_confed(self) -> bool {
        matches!(self, Self::ConfedSequence | Self::ConfedSet)
    }
}

impl Segment {
    /// What it adds to the length of the path, RFC 4271 section 9.1.2.2 and RFC 5065 section 5.3.
    pub const fn length(&self) -> usize {
        match self.kind {
            SegmentKind::Sequence => self.asns.len(),
            SegmentKind::Set => 1,
            SegmentKind::ConfedSequence | SegmentKind::ConfedSet => 0,
        }
    }
}

impl AsPath {
    /// One sequence; empty for no AS numbers.
    pub fn sequence(asns: impl IntoIterator<Item = u32>) -> Self {
        let asns: Vec<u32> = asns.into_iter().collect();
        match asns.is_empty() {
            true => Self::default(),
            false => Self(vec![Segment { kind: SegmentKind::Sequence, asns }]),
        }
    }

    /// Length as the decision process counts it: a set is one, a confederation's segments are nothing.
    pub fn length(&self) -> usize {
        self.0.iter().map(Segment::length).sum()
    }

    /// The neighbouring AS that the route came through: the leftmost, confederation aside; `None` where a set
    /// hides it or the route began in our own AS.
    pub fn first_as(&self) -> Option<u32> {
        let segment = self.0.iter().find(|segment| !segment.kind.is_confed())?;
        (segment.kind == SegmentKind::Sequence).then(|| segment.asns.first().copied())?
    }

    /// Whether the AS is anywhere in the path: the loop check of RFC 4271 section 9.1.2.
    pub fn contains(&self, asn: u32) -> bool {
        self.0.iter().any(|segment| segment.asns.contains(&asn))
    }

    /// Puts `asn` in front, RFC 4271 section 5.1.2; a full segment begets a new one.
    pub fn prepend(&mut self, asn: u32) {
        match self.0.first_mut() {
            Some(first) if first.kind == SegmentKind::Sequence && first.asns.len() < SEGMENT_MAX => {
                first.asns.insert(0, asn);
            }
            _ => self.0.insert(0, Segment { kind: SegmentKind::Sequence, asns: vec![asn] }),
        }
    }

    /// Leaves out the segments of a confederation, RFC 5065 section 5.2.
    pub fn strip_confederation(&mut self) {
        self.0.retain(|segment| !segment.kind.is_confed());
    }

    /// Whether some member does not fit in two octets, so that AS4_PATH must come along.
    pub(crate) fn needs_four_octets(&self) -> bool {
        self.0.iter().flat_map(|segment| &segment.asns).any(|asn| *asn > u16::MAX.into())
    }

    /// The reasons are those of RFC 7606 section 7.2.
    pub(crate) fn decode(octets: &[u8], four_octet_as: bool) -> Result<Self, &'static str> {
        let (mut reader, mut segments) = (Reader(octets), Vec::new());
        while !reader.is_empty() {
            segments.push(decode_segment(&mut reader, four_octet_as)?);
        }
        Ok(Self(segments))
    }

    pub(crate) fn encode(&self, four_octet_as: bool, out: &mut Vec<u8>) {
        for segment in &self.0 {
            for chunk in segment.asns.chunks(SEGMENT_MAX) {
                out.extend_from_slice(&[segment.kind.code(), chunk.len() as u8]);
                chunk.iter().for_each(|asn| encode_as(*asn, four_octet_as, out));
            }
        }
    }

    /// RFC 6793 section 4.2.3: what `as4_path` lacks in length is taken from the front of `self`; a longer
    /// `as4_path` is not believed.
    pub(crate) fn merge(self, mut as4_path: Self) -> Self {
        as4_path.strip_confederation();
        let Some(mut missing) = self.length().checked_sub(as4_path.length()) else { return self };
        let (mut merged, mut cut) = (Vec::new(), false);
        for mut segment in self.0 {
            let taken = segment.length().min(missing);
            if missing == 0 && !segment.kind.is_confed() {
                break;
            }
            missing -= taken;
            if segment.kind == SegmentKind::Sequence {
                cut = taken < segment.asns.len();
                segment.asns.truncate(taken);
            }
            merged.push(segment);
        }
        let mut rest = as4_path.0.into_iter().peekable();
        // A sequence that was cut goes on where the real numbers begin.
        if cut
            && let Some(last) = merged.last_mut()
            && let Some(next) = rest.next_if(|next| next.kind == last.kind)
        {
            last.asns.extend(next.asns);
        }
        merged.extend(rest);
        Self(merged)
    }
}

fn decode_segment(reader: &mut Reader<'_>, four_octet_as: bool) -> Result<Segment, &'static str> {
    const OVERRUN: &str = "a segment runs over its end (RFC 7606 section 7.2)";
    let kind = reader.u8().and_then(SegmentKind::from_code);
    let kind = kind.ok_or("unrecognized segment type (RFC 7606 section 7.2)")?;
    let count = usize::from(reader.u8().ok_or(OVERRUN)?);
    if count == 0 {
        return Err("segment of length zero (RFC 7606 section 7.2)");
    }
    let width = if four_octet_as { 4 } else { 2 };
    let octets = reader.take(count * width).ok_or(OVERRUN)?;
    let number = |octets: &[u8]| octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet));
    Ok(Segment { kind, asns: octets.chunks_exact(width).map(number).collect() })
}

/// Two octets, with AS_TRANS for what does not fit, or four.
pub(crate) fn encode_as(asn: u32, four_octet_as: bool, out: &mut Vec<u8>) {
    match four_octet_as {
        true => out.extend_from_slice(&asn.to_be_bytes()),
        false => out.extend_from_slice(&u16::try_from(asn).unwrap_or(AS_TRANS).to_be_bytes()),
    }
}

impl fmt::Display for AsPath {
    /// `65001 65002 {65003,65004} (65005)`: sets in braces, confederation segments in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            let (open, between, close) = match segment.kind {
                SegmentKind::Sequence => ("", " ", ""),
                SegmentKind::Set => ("{", ",", "}"),
                SegmentKind::ConfedSequence => ("(", " ", ")"),
                SegmentKind::ConfedSet => ("[", ",", "]"),
            };
            let asns: Vec<String> = segment.asns.iter().map(u32::to_string).collect();
            write!(f, "{}{open}{}{close}", if index == 0 { "" } else { " " }, asns.join(between))?;
        }
        Ok(())
    }
}
