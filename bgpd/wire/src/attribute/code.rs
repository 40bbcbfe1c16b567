//! Type codes of path attributes and the flags that belong to them.

/// RFC 4271 section 5.1.1.
pub const ORIGIN: u8 = 1;
/// RFC 4271 section 5.1.2.
pub const AS_PATH: u8 = 2;
/// RFC 4271 section 5.1.3.
pub const NEXT_HOP: u8 = 3;
/// RFC 4271 section 5.1.4.
pub const MULTI_EXIT_DISC: u8 = 4;
/// RFC 4271 section 5.1.5.
pub const LOCAL_PREF: u8 = 5;
/// RFC 4271 section 5.1.6.
pub const ATOMIC_AGGREGATE: u8 = 6;
/// RFC 4271 section 5.1.7.
pub const AGGREGATOR: u8 = 7;
/// RFC 1997.
pub const COMMUNITIES: u8 = 8;
/// RFC 4456 section 8.
pub const ORIGINATOR_ID: u8 = 9;
/// RFC 4456 section 8.
pub const CLUSTER_LIST: u8 = 10;
/// RFC 4760 section 3.
pub const MP_REACH_NLRI: u8 = 14;
/// RFC 4760 section 4.
pub const MP_UNREACH_NLRI: u8 = 15;
/// RFC 4360.
pub const EXTENDED_COMMUNITIES: u8 = 16;
/// RFC 6793 section 3.
pub const AS4_PATH: u8 = 17;
/// RFC 6793 section 3.
pub const AS4_AGGREGATOR: u8 = 18;
/// RFC 8092.
pub const LARGE_COMMUNITY: u8 = 32;
/// RFC 8669.
pub const PREFIX_SID: u8 = 40;

/// Flag: not every speaker need know the attribute.
pub const OPTIONAL: u8 = 0x80;
/// Flag: passed on also by who does not know it.
pub const TRANSITIVE: u8 = 0x40;
/// Flag: somebody on the way did not know it.
pub const PARTIAL: u8 = 0x20;
/// Flag: the length takes two octets.
pub const EXTENDED_LENGTH: u8 = 0x10;

/// The optional and transitive flags that the attribute's RFC asks for; `None` for one we do not know.
pub const fn flags(code: u8) -> Option<u8> {
    Some(match code {
        ORIGIN | AS_PATH | NEXT_HOP | LOCAL_PREF | ATOMIC_AGGREGATE => TRANSITIVE,
        MULTI_EXIT_DISC | ORIGINATOR_ID | CLUSTER_LIST | MP_REACH_NLRI | MP_UNREACH_NLRI => OPTIONAL,
        AGGREGATOR | COMMUNITIES | EXTENDED_COMMUNITIES | AS4_PATH | AS4_AGGREGATOR | LARGE_COMMUNITY
        | PREFIX_SID => OPTIONAL | TRANSITIVE,
        _ => return None,
    })
}

/// Name in the IANA registry, for messages.
pub fn name(code: u8) -> String {
    let name = match code {
        ORIGIN => "ORIGIN",
        AS_PATH => "AS_PATH",
        NEXT_HOP => "NEXT_HOP",
        MULTI_EXIT_DISC => "MULTI_EXIT_DISC",
        LOCAL_PREF => "LOCAL_PREF",
        ATOMIC_AGGREGATE => "ATOMIC_AGGREGATE",
        AGGREGATOR => "AGGREGATOR",
        COMMUNITIES => "COMMUNITIES",
        ORIGINATOR_ID => "ORIGINATOR_ID",
        CLUSTER_LIST => "CLUSTER_LIST",
        MP_REACH_NLRI => "MP_REACH_NLRI",
        MP_UNREACH_NLRI => "MP_UNREACH_NLRI",
        EXTENDED_COMMUNITIES => "EXTENDED_COMMUNITIES",
        AS4_PATH => "AS4_PATH",
        AS4_AGGREGATOR => "AS4_AGGREGATOR",
        LARGE_COMMUNITY => "LARGE_COMMUNITY",
        PREFIX_SID => "BGP_PREFIX_SID",
        _ => return format!("attribute {code}"),
    };
    name.to_owned()
}
