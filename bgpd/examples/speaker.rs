//! A bare speaker, to be measured and to be peered with by hand:
//! `speaker --as 65000 --router-id 10.0.0.1 --listen 127.0.0.1:1790 --peer 127.0.0.2,client,passive`
//!
//! Events are printed; the peers' state is printed at the end (SIGINT).

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use bgp_core::config::{Listen, PeerConfig, SpeakerConfig, Transport, VrfPolicy};
use bgp_wire::Family;
use bgpd::Event;
use srv6_types::VrfId;

const USAGE: &str = "usage: speaker [--as N] [--router-id A] [--listen ADDRESS:PORT] [--vrf RD,ROUTE-TARGET] \
    [--peer ADDRESS[,as=N][,port=N][,local=ADDRESS][,families=vpnv4+vpnv6+ipv4-unicast+ipv6-unicast]\
    [,hold=SECONDS][,client][,passive][,nhs]]...";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let config = config(std::env::args().skip(1))?;
    let (handle, mut events) = bgpd::spawn(config)?;
    let mut routes = 0;
    loop {
        tokio::select! {
            event = events.recv() => match event {
                None => return Ok(()),
                Some(Event::Routes(changes)) => routes += changes.len(),
                Some(event) => println!("{event:?} (route changes so far: {routes})"),
            },
            _ = tokio::signal::ctrl_c() => {
                for peer in handle.peers().await? {
                    println!("{peer:#?}");
                }
                return Ok(handle.shutdown(false).await?);
            }
        }
    }
}

fn config(mut args: impl Iterator<Item = String>) -> Result<SpeakerConfig> {
    let mut config = SpeakerConfig {
        asn: 65000,
        router_id: Ipv4Addr::new(10, 0, 0, 1),
        cluster_id: Ipv4Addr::UNSPECIFIED,
        listen: Listen { port: 179, addresses: Vec::new() },
        graceful_restart: None,
        peers: BTreeMap::new(),
        vrfs: BTreeMap::new(),
        next_hop_tracking: false,
    };
    let mut peers = Vec::new();
    while let Some(option) = args.next() {
        let value = args.next().ok_or(USAGE)?;
        match option.as_str() {
            "--as" => config.asn = value.parse()?,
            "--router-id" => config.router_id = value.parse()?,
            "--listen" => config.listen = listen(&value)?,
            "--vrf" => {
                let id = VrfId(u32::try_from(config.vrfs.len())? + 1);
                config.vrfs.insert(id, vrf(&value)?);
            }
            "--peer" => peers.push(value),
            _ => return Err(USAGE.into()),
        }
    }
    config.cluster_id = config.router_id;
    config.peers = peers.iter().map(|text| peer(text, config.asn)).collect::<Result<_>>()?;
    Ok(config)
}

fn listen(text: &str) -> Result<Listen> {
    let at: SocketAddr = text.parse()?;
    Ok(Listen { port: at.port(), addresses: vec![at.ip()] })
}

fn vrf(text: &str) -> Result<VrfPolicy> {
    let (rd, target) = text.split_once(',').ok_or(USAGE)?;
    let targets = BTreeSet::from([target.parse()?]);
    let (import, export) = (targets.clone(), targets);
    Ok(VrfPolicy { name: text.to_owned(), rd: rd.parse()?, import, export, next_hop: None })
}

fn peer(text: &str, asn: u32) -> Result<(IpAddr, PeerConfig)> {
    let mut words = text.split(',');
    let address = words.next().unwrap_or_default().parse()?;
    let mut config = PeerConfig {
        asn,
        port: 179,
        local_address: None,
        passive: false,
        hold_time: Duration::from_secs(90),
        keepalive: Duration::from_secs(30),
        connect_retry: Duration::from_secs(5),
        families: Family::ALL.into(),
        route_reflector_client: false,
        next_hop_self: false,
        max_prefixes: None,
        transport: Transport::default(),
        description: String::new(),
    };
    for word in words {
        match word.split_once('=') {
            Some(("as", n)) => config.asn = n.parse()?,
            Some(("port", n)) => config.port = n.parse()?,
            Some(("local", a)) => config.local_address = Some(a.parse()?),
            Some(("hold", n)) => config.hold_time = Duration::from_secs(n.parse()?),
            Some(("families", list)) => config.families = families(list),
            None if word == "client" => config.route_reflector_client = true,
            None if word == "passive" => config.passive = true,
            None if word == "nhs" => config.next_hop_self = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok((address, config))
}

fn families(list: &str) -> BTreeSet<Family> {
    Family::ALL.into_iter().filter(|family| list.split('+').any(|word| word == family.word())).collect()
}
