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
