//! The speakers under test, each as a route reflector of AS 65000 for two clients.

use std::{
    fmt::Write,
    fs, io,
    net::{IpAddr, SocketAddr, TcpStream},
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use bgp_wire::Family;

use super::SpeakerError;
use crate::{
    folder::Folder,
    namespace::{Daemon, Namespace},
};

/// How long a speaker may take until it listens.
const START: Duration = Duration::from_secs(20);

/// Whose figures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Sixedge,
    Bird,
    Frr,
}

impl Target {
    pub(crate) const ALL: [Self; 3] = [Self::Sixedge, Self::Bird, Self::Frr];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sixedge => "sixedge",
            Self::Bird => "bird2",
            Self::Frr => "frr",
        }
    }

    /// Starts the speaker and waits until it listens.
    pub(crate) fn start(self, place: &Place<'_>, session: &Sessions) -> Result<Daemon, SpeakerError> {
        let config = place.folder.file(&format!("{}.conf", self.name()));
        let text = match self {
            Self::Sixedge => sixedge(session),
            Self::Bird => bird(session),
            Self::Frr => frr(session),
        };
        fs::write(&config, text).map_err(|source| SpeakerError::File { path: config.clone(), source })?;
        let (config, folder) = (config.display(), place.folder.file(""));
        let folder = folder.display();
        let line = match self {
            Self::Sixedge => format!(
                "{} agent --config {config} --state-dir {folder} --pin-dir {folder}bpf/speaker --socket {folder}sixedge.sock",
                place.sixedge.display()
            ),
            Self::Bird => format!("bird -f -c {config} -s {folder}bird.ctl"),
            // Alone, as a route reflector of VPN routes may be: no zebra, next hops are not asked for.
            Self::Frr => format!(
                "/usr/lib/frr/bgpd -Z -S -l {} -P 0 -f {config} -i {folder}bgpd.pid --vty_socket {folder}",
                session.target
            ),
        };
        let daemon = place.namespace.daemon(&line)?;
        place.namespace.enter(|| wait_for(session.address()))?.map_err(|source| SpeakerError::Silent {
            target: self.name(),
            line,
            source,
        })?;
        Ok(daemon)
    }
}

/// Where a speaker runs.
pub(crate) struct Place<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) folder: &'a Folder,
    pub(crate) sixedge: &'a Path,
}

/// The sessions of a measurement.
pub(crate) struct Sessions {
    pub(crate) target: IpAddr,
    pub(crate) clients: [IpAddr; 2],
    pub(crate) families: Vec<Family>,
}

impl Sessions {
    pub(crate) const fn address(&self) -> SocketAddr {
        SocketAddr::new(self.target, 179)
    }
}

fn wait_for(address: SocketAddr) -> io::Result<()> {
    let end = Instant::now() + START;
    loop {
        match TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => sleep(Duration::from_millis(50)),
        }
    }
}

fn sixedge(session: &Sessions) -> String {
    let families = session.families.iter().map(|family| family.word()).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "router: {{ asn: 65000, routerId: 10.0.0.1 }}\nbgp:\n  listenAddresses: [\"{}\"]\n  \
         gracefulRestart: {{ enabled: false }}\n  neighbors:\n",
        session.target
    );
    for client in session.clients {
        let _infallible = writeln!(
            text,
            "    - {{ address: \"{client}\", asn: 65000, passive: true, holdTime: 600, families: [{families}], \
             routeReflectorClient: true }}"
        );
    }
    text
}

fn bird(session: &Sessions) -> String {
    let mut text = String::from(
        "router id 10.0.0.1;\nlog stderr { error, fatal, bug };\nprotocol device { }\n\
         vpn4 table vpntab4;\nvpn6 table vpntab6;\n",
    );
    let channels: String = session
        .families
        .iter()
        .map(|family| match family {
            Family::Vpnv4 => {
                "vpn4 mpls { table vpntab4; import all; export all; next hop keep; extended next hop; };\n"
            }
            Family::Vpnv6 => "vpn6 mpls { table vpntab6; import all; export all; next hop keep; };\n",
            Family::Ipv6Unicast => "ipv6 { import all; export all; next hop keep; };\n",
            _ => "ipv4 { import all; export all; next hop keep; };\n",
        })
        .collect();
    for (number, client) in session.clients.iter().enumerate() {
        let _infallible = writeln!(
            text,
            "protocol bgp client{number} {{ local {} as 65000; neighbor {client} as 65000; rr client; passive; \
             hold time 600;\n{channels}}}",
            session.target
        );
    }
    text
}

fn frr(session: &Sessions) -> String {
    let mut text = String::from("router bgp 65000\n bgp router-id 10.0.0.1\n no bgp default ipv4-unicast\n");
    for client in session.clients {
        let _infallible = writeln!(
            text,
            " neighbor {client} remote-as 65000\n neighbor {client} passive\n neighbor {client} timers 200 600\n \
             neighbor {client} capability extended-nexthop"
        );
    }
    for family in &session.families {
        let name = match family {
            Family::Vpnv4 => "ipv4 vpn",
            Family::Vpnv6 => "ipv6 vpn",
            Family::Ipv6Unicast => "ipv6 unicast",
            _ => "ipv4 unicast",
        };
        let _infallible = writeln!(text, " address-family {name}");
        for client in session.clients {
            let _infallible =
                writeln!(text, "  neighbor {client} activate\n  neighbor {client} route-reflector-client");
        }
        text.push_str(" exit-address-family\n");
    }
    text
}
