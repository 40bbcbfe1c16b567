//! What a reflected route costs: CPU time and memory of the tables alone, without sockets.
//!
//! `cargo run --release -p bgp-core --example load [ipv4 | vpnv4 | join | next-hop] [routes]`

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use bgp_core::{
    config::PeerId,
    rib::{PeerSession, Reachability, Rib, RibOutput},
};
use bgp_wire::{
    Context, Family, Message,
    attribute::{AsPath, Attributes, Community, Origin, PrefixSid, RouteTarget},
    message::{NextHop, UpdateWriter, frame_length},
    nlri::{Nlri, Prefix, Prefix4, RouteDistinguisher},
};
use bytes::Bytes;
use srv6_types::{Behavior, Sid, SidStructure};

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Routes that share an attribute set.
const PER_SET: u32 = 10;

fn main() -> Fallible<()> {
    let routes = |default| std::env::args().nth(2).map_or(Ok(default), |count| count.parse());
    match std::env::args().nth(1).as_deref() {
        None | Some("ipv4") => reflect(Family::Ipv4Unicast, routes(500_000)?),
        Some("vpnv4") => reflect(Family::Vpnv4, routes(200_000)?),
        Some("join") => join(routes(50_000)?, 200),
        Some("next-hop") => next_hop(routes(500_000)?),
        Some(other) => {
            Err(format!("{other} is nothing to measure; say ipv4, vpnv4, join or next-hop").into())
        }
    }
}

fn context() -> Context {
    Context { four_octet_as: true, ..Context::default() }
}

fn session(n: u32) -> PeerSession {
    let address = Ipv4Addr::from_bits(0x0a00_0000 + n);
    PeerSession {
        asn: 65000,
        router_id: address,
        address: IpAddr::V4(address),
        local_address: Ipv4Addr::new(10, 255, 255, 1).into(),
        local_v6: None,
        families: vec![(Family::Ipv4Unicast, true), (Family::Vpnv4, true)],
        receive: context(),
        send: context(),
        route_reflector_client: true,
        next_hop_self: false,
    }
}

fn nlri(family: Family, n: u32) -> Fallible<Nlri> {
    let prefix = Prefix4::new((0x0100_0000 + (n << 8)).to_be_bytes(), 24).ok_or("a prefix of 24 bits")?;
    let rd = family.is_vpn().then_some(RouteDistinguisher([0, 0, 0, 1, 0, 0, 0, (n % 100) as u8]));
    Ok(Nlri { path_id: 0, rd, label: None, prefix: Prefix::V4(prefix) })
}

fn attributes(family: Family, set: u32) -> Fallible<Attributes> {
    let mut attributes = Attributes {
        origin: Origin::Igp,
        as_path: AsPath::sequence([3000 + set % 60_000, 4000 + set / 7, 5000, 6000]),
        local_pref: Some(100),
        communities: vec![Community(set), Community(set ^ 0xffff)],
        ..Attributes::default()
    };
    if family.is_vpn() {
        let structure = SidStructure::new(32, 16, 16, 0, Default::default())?.with_function_transposed();
        let sid = Sid::from_bits(0xfc00_0000_0001_0001 << 64);
        attributes.extended_communities = vec![RouteTarget([0, 2, 0, 1, 0, 0, 0, (set % 100) as u8]).into()];
        attributes.prefix_sid = Some(PrefixSid::l3(sid, structure, Behavior::END_DT46).0);
    }
    Ok(attributes)
}

/// One UPDATE per set, and as few as it takes to withdraw all.
fn messages(family: Family, routes: u32) -> Fallible<(Bytes, Bytes)> {
    let writer = UpdateWriter::new(family, &context());
    let next_hop = match family.is_vpn() {
        true => NextHop::V6 { global: "2001:db8::1".parse()?, link_local: None },
        false => NextHop::V4(Ipv4Addr::new(192, 0, 2, 1)),
    };
    let (mut announced, mut withdrawn) = (Vec::new(), Vec::new());
    let all = (0..routes).map(|n| nlri(family, n)).collect::<Fallible<Vec<_>>>()?;
    for (set, routes) in all.chunks(PER_SET as usize).enumerate() {
        let mut octets = Vec::new();
        attributes(family, set as u32)?.encode(None, &context(), &mut octets);
        writer.announce(next_hop, &octets, routes, &mut announced)?;
    }
    writer.withdraw(&all, &mut withdrawn);
    Ok((announced.into(), withdrawn.into()))
}

/// Feeds messages as a session would: 64 KiB at a time, then a flush. Returns octets sent.
fn feed(rib: &mut Rib, mut stream: Bytes) -> Fallible<usize> {
    let (mut sent, mut read) = (0, 0);
    let mut out = Vec::new();
    while let Some(length) = frame_length(&stream).map_err(|_| "a message of our own is faulty")? {
        if let Ok(Message::Update(update)) = Message::decode(stream.split_to(length), &context()) {
            rib.update(PeerId(1), update);
        }
        read += length;
        if read >= 65_536 || stream.is_empty() {
            read = 0;
            sent += flush(rib, &mut out);
        }
    }
    Ok(sent)
}

fn flush(rib: &mut Rib, out: &mut Vec<RibOutput>) -> usize {
    let mut sent = 0;
    loop {
        let more = rib.flush(out);
        for output in out.drain(..) {
            if let RibOutput::Send { messages, .. } = output {
                sent += messages.len();
            }
        }
        if !more {
            return sent;
        }
    }
}

fn reflect(family: Family, routes: u32) -> Fallible<()> {
    let (announced, withdrawn) = messages(family, routes)?;
    let mut rib = Rib::new(65000, Ipv4Addr::new(10, 255, 255, 1), Ipv4Addr::new(10, 255, 255, 1));
    rib.peer_up(PeerId(1), session(1));
    rib.peer_up(PeerId(2), session(2));
    flush(&mut rib, &mut Vec::new());
    let before = resident()?;
    let start = cpu()?;
    let sent = feed(&mut rib, announced)?;
    let load = cpu()?.saturating_sub(start);
    let memory = resident()? - before;
    let start = cpu()?;
    feed(&mut rib, withdrawn)?;
    let withdraw = cpu()?.saturating_sub(start);
    let per = |total: u128| total / u128::from(routes);
    println!(
        "{family}: {routes} routes: {} ns/route in and out again ({} octets sent), {} ns/route withdrawn, {} bytes/route",
        per(load.as_nanos()),
        sent,
        per(withdraw.as_nanos()),
        memory / routes as usize,
    );
    Ok(())
}

fn join(routes: u32, peers: u32) -> Fallible<()> {
    let mut rib = Rib::new(65000, Ipv4Addr::new(10, 255, 255, 1), Ipv4Addr::new(10, 255, 255, 1));
    rib.peer_up(PeerId(1), session(1));
    feed(&mut rib, messages(Family::Ipv4Unicast, routes)?.0)?;
    let start = cpu()?;
    for n in 0..peers {
        rib.peer_up(PeerId(2 + n), session(2 + n));
        flush(&mut rib, &mut Vec::new());
    }
    let apart = cpu()?.saturating_sub(start);
    println!("{peers} peers join {routes} routes one after the other: {apart:?}");
    Ok(())
}

/// The next hop of all routes is lost, and found again.
fn next_hop(routes: u32) -> Fallible<()> {
    let mut rib = Rib::new(65000, Ipv4Addr::new(10, 255, 255, 1), Ipv4Addr::new(10, 255, 255, 1));
    rib.track_next_hops(true);
    rib.peer_up(PeerId(1), session(1));
    feed(&mut rib, messages(Family::Ipv4Unicast, routes)?.0)?;
    let next_hop = Ipv4Addr::new(192, 0, 2, 1).into();
    for reachability in [Reachability::Unreachable, Reachability::Cost(0)] {
        let start = cpu()?;
        rib.set_next_hops([(next_hop, reachability)]);
        let walked = cpu()?.saturating_sub(start);
        flush(&mut rib, &mut Vec::new());
        let selected = cpu()?.saturating_sub(start);
        println!(
            "{reachability:?}: {routes} routes queued after {walked:?}, selected anew after {selected:?}"
        );
    }
    Ok(())
}

/// CPU time used so far: other work on the machine tells less in it than in the time of day.
fn cpu() -> Fallible<Duration> {
    let status = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = status.split(' ').next().ok_or("schedstat has a first field")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// Octets of memory in use.
fn resident() -> Fallible<usize> {
    let status = std::fs::read_to_string("/proc/self/statm")?;
    let pages = status.split(' ').nth(1).ok_or("statm has a second field")?;
    Ok(pages.parse::<usize>()? * 4096)
}
