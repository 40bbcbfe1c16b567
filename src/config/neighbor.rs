use std::{collections::BTreeSet, fs::File, io::Read as _, path::Path, time::Duration};

use bgp_wire::Family;
use vrf_manager::intent::{Neighbor, Secret};

use super::{
    kind::{ADDRESS, ASN, BOOL, FAMILY, PORT, PREFIXES, TEXT, number, seconds},
    list::set,
    reader::{At, Fields},
};

const KEYS: &[&str] = &[
    "address",
    "asn",
    "port",
    "localAddress",
    "passive",
    "holdTime",
    "keepalive",
    "connectRetry",
    "families",
    "routeReflectorClient",
    "nextHopSelf",
    "maxPrefixes",
    "passwordFile",
    "multihop",
    "description",
];

pub(super) fn read(at: &At<'_>) -> Option<Neighbor> {
    let neighbor = at.fields(KEYS)?;
    let address = neighbor.required("address", "address: 192.0.2.2", ADDRESS);
    let asn = neighbor.required("asn", "asn: 65000", ASN);
    let port = neighbor.or("port", 179, PORT);
    let local_address = neighbor.maybe("localAddress", ADDRESS);
    let passive = neighbor.or("passive", false, BOOL);
    let timers = timers(&neighbor);
    let families = neighbor.required("families", "families: [vpnv4, vpnv6]", families);
    let route_reflector_client = neighbor.or("routeReflectorClient", false, BOOL);
    let next_hop_self = neighbor.or("nextHopSelf", false, BOOL);
    let max_prefixes = neighbor.maybe("maxPrefixes", PREFIXES);
    let password = neighbor.maybe("passwordFile", password);
    let multihop = neighbor.maybe("multihop", number("a number of hops", 2..=255));
    let description = neighbor.or("description", String::new(), TEXT);
    let (hold_time, keepalive, connect_retry) = timers?;
    Some(Neighbor {
        address: address?,
        asn: asn?,
        port: port?,
        local_address: local_address?,
        passive: passive?,
        hold_time,
        keepalive,
        connect_retry,
        families: families?,
        route_reflector_client: route_reflector_client?,
        next_hop_self: next_hop_self?,
        max_prefixes: max_prefixes?,
        password: password?,
        multihop: multihop?,
        description: description?,
    })
}

/// Hold time, keepalive interval and time between attempts to connect.
fn timers(neighbor: &Fields<'_>) -> Option<(Duration, Duration, Duration)> {
    let hold_time = neighbor.or("holdTime", Duration::from_secs(90), hold_time);
    let keepalive = neighbor.maybe("keepalive", seconds(1..=21845));
    let connect_retry = neighbor.or("connectRetry", Duration::from_secs(5), seconds(1..=65535));
    let hold_time = hold_time?;
    let keepalive = keepalive?.unwrap_or(hold_time / 3);
    // RFC 4271 section 4.4; a hold time of 0 turns keepalives off.
    if !hold_time.is_zero() && keepalive > hold_time / 3 {
        return neighbor.find("keepalive")?.refuse(format_args!(
            "{} s is more than a third of holdTime ({} s); write {} or less",
            keepalive.as_secs(),
            hold_time.as_secs(),
            hold_time.as_secs() / 3
        ));
    }
    Some((hold_time, keepalive, connect_retry?))
}

/// RFC 4271 section 4.2: two octets, neither 1 nor 2.
fn hold_time(at: &At<'_>) -> Option<Duration> {
    let hold_time = seconds(0..=65535)(at)?;
    if matches!(hold_time.as_secs(), 1 | 2) {
        return at.refuse("a hold time of 1 s or 2 s is not allowed; write 0 (no keepalives) or 3 to 65535");
    }
    Some(hold_time)
}

fn families(at: &At<'_>) -> Option<BTreeSet<Family>> {
    let families = set(FAMILY)(at)?;
    if families.is_empty() {
        return at.refuse("names no family; write one or more of ipv4-unicast, ipv6-unicast, vpnv4, vpnv6");
    }
    Some(families)
}

/// What Linux takes as a key of TCP MD5 signatures.
const LONGEST_PASSWORD: usize = 80;

/// A file with the password on its only line. What is in it stands in no message.
fn password(at: &At<'_>) -> Option<Secret> {
    let path = Path::new(at.text(PASSWORD_FILE)?);
    if !path.is_absolute() {
        return at.refuse(format_args!("{path:?} is not an absolute path; write {PASSWORD_FILE}"));
    }
    let mut octets = Vec::new();
    // One more than a password and the end of its line may have: whatever the file is, no more is read.
    let most = LONGEST_PASSWORD as u64 + 3;
    if let Err(error) = File::open(path).and_then(|file| file.take(most).read_to_end(&mut octets)) {
        return at.refuse(format_args!("{} cannot be read: {error}; write {PASSWORD_FILE}", path.display()));
    }
    let line = octets.strip_suffix(b"\n").unwrap_or(&octets);
    let password = line.strip_suffix(b"\r").unwrap_or(line);
    if !(1..=LONGEST_PASSWORD).contains(&password.len()) || password.contains(&b'\n') {
        return at.refuse(format_args!(
            "{} does not hold a password; write 1 to {LONGEST_PASSWORD} octets into it, on one line",
            path.display()
        ));
    }
    Some(Secret(password.to_vec()))
}

const PASSWORD_FILE: &str = "the path of a file that holds the password (/etc/sixedge/upstream.password)";
