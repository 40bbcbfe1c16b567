//! Two hundred tenants with the same addresses between two PEs: no packet ever crosses from one to another.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use lab::{Lab, Signal, wait_until};
use serde_json::Value;

use crate::circuits::{Arrivals, PE, Site, TENANT, host4, host6, interface, mac};

const TENANTS: u16 = 200;
const PATIENCE: Duration = Duration::from_secs(60);

/// pe1 and pe2 with a link between them; ce1 and ce2 hold the tenants' ends of all circuits.
struct Net {
    sites: [Site; 2],
    lab: Lab,
    folder: PathBuf,
}

impl Net {
    fn up(name: &str) -> Self {
        let name = format!("survival-{name}");
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("many.clab.yml"), topology()).unwrap();
        for site in [1, 2] {
            fs::write(folder.join(format!("pe{site}.yaml")), config(site, 0..TENANTS)).unwrap();
        }
        let lab = Lab::up_as(folder.join("many.clab.yml"), &name).unwrap_or_else(|error| panic!("{error}"));
        let sites = [1, 2].map(|site| {
            neighbours(&name, site);
            Site::open(site, &format!("clab-{name}-ce{site}"), TENANTS)
        });
        let net = Self { sites, lab, folder };
        net.await_routes("pe1", TENANTS);
        net.await_routes("pe2", TENANTS);
        net
    }

    /// Every one of so many VRFs has the other site's routes of both families, and no other.
    #[track_caller]
    fn await_routes(&self, pe: &str, vrfs: u16) {
        let complete =
            |vrf: &Value| vrf["routes"]["bySource"]["internalBgp"] == 2 && vrf["routes"]["stale"] == 0;
        let all = || {
            let output = self.lab.node(pe).run(["sixedge", "show", "--json", "vrf"]);
            let Ok(answer) = serde_json::from_slice::<Value>(&output.stdout) else { return false };
            let complete = answer["vrfs"].as_array().unwrap().iter().filter(|vrf| complete(vrf)).count();
            complete == usize::from(vrfs)
        };
        assert!(wait_until(PATIENCE, all), "{pe} has not got all routes\n{}", self.lab.node(pe).logs());
    }

    /// One packet of each family, tenant and direction.
    fn round(&self) {
        for tenant in 0..TENANTS {
            self.sites.iter().for_each(|site| site.send(tenant));
        }
    }

    fn arrivals(&self) -> [Arrivals; 2] {
        [self.sites[0].arrivals(), self.sites[1].arrivals()]
    }

    /// Waits until so many packets of a tenant have arrived at each site.
    #[track_caller]
    fn await_arrivals(&self, tenants: impl Iterator<Item = u16> + Clone, count: u64) {
        let missing = || {
            let [one, two] = self.arrivals();
            let at = |site: &Arrivals, tenant| site.get(&(tenant, tenant)).copied().unwrap_or(0);
            let missing = tenants.clone().filter(|t| at(&one, *t) < count || at(&two, *t) < count);
            missing.collect::<Vec<_>>()
        };
        let all = wait_until(PATIENCE, || missing().is_empty());
        self.assert_nothing_crossed();
        assert!(all, "packets of tenants {:?} are lost\n{}", missing(), self.drops());
    }

    /// Whatever arrived came from the tenant that it arrived at.
    #[track_caller]
    fn assert_nothing_crossed(&self) {
        let [one, two] = self.arrivals();
        let crossed: Vec<_> = one.iter().chain(&two).filter(|((at, from), _)| at != from).collect();
        assert!(crossed.is_empty(), "((arrived at, sent by), packets): {crossed:?}");
    }

    fn drops(&self) -> String {
        ["pe1", "pe2"].map(|pe| self.lab.node(pe).check(["sixedge", "show", "drops"])).join("\n")
    }

    /// Replaces pe1's tenants and waits until its agent has taken that over.
    fn reload(&self, tenants: impl Iterator<Item = u16>) {
        let taken_over = || self.lab.node("pe1").logs().matches("configuration taken over").count();
        let before = taken_over();
        fs::write(self.folder.join("pe1.yaml"), config(1, tenants)).unwrap();
        assert!(wait_until(PATIENCE, || taken_over() > before), "{}", self.lab.node("pe1").logs());
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn colons(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

fn topology() -> String {
    let mut text = "\
name: many
topology:
  defaults: { kind: linux, image: alpine }
  nodes:
"
    .to_owned();
    for site in [1, 2] {
        write!(
            text,
            "    pe{site}:
      image: sixedge
      binds: [\"pe{site}.yaml:/etc/sixedge/sixedge.yaml:ro\"]
      sysctls: {{ net.ipv4.ip_forward: \"1\", net.ipv6.conf.all.forwarding: \"1\" }}
      exec: [\"ip address replace fd00:c::{site}/64 dev core nodad\"]
    ce{site}:
      sysctls: {{ net.ipv6.conf.all.disable_ipv6: \"1\", net.ipv6.conf.default.disable_ipv6: \"1\" }}
"
        )
        .unwrap();
    }
    text.push_str("  links:\n    - { endpoints: [\"pe1:core\", \"pe2:core\"], mtu: 1600 }\n");
    for tenant in 0..TENANTS {
        for site in [1, 2] {
            let (interface, ce, pe) =
                (interface(tenant), colons(mac(TENANT, site, tenant)), colons(mac(PE, site, tenant)));
            writeln!(
                text,
                "    - {{ type: veth, mtu: 1500, endpoints: [ {{ node: ce{site}, interface: {interface}, mac: \"{ce}\" }}, \
                 {{ node: pe{site}, interface: {interface}, mac: \"{pe}\" }} ] }}"
            )
            .unwrap();
        }
    }
    text
}

/// A PE's configuration with these tenants, each in a VRF of its own with the same addresses.
fn config(site: u8, tenants: impl Iterator<Item = u16>) -> String {
    let other = 3 - site;
    let mut text = format!(
        "router: {{ asn: 65000, routerId: 10.255.0.{site} }}
srv6:
  source: fd00:c::{site}
  coreInterfaces: [core]
  locators: [ {{ name: main, prefix: \"fc00:0:{site}::/48\" }} ]
bgp:
  neighbors: [ {{ address: \"fd00:c::{other}\", asn: 65000, localAddress: \"fd00:c::{site}\", connectRetry: 1, families: [vpnv4, vpnv6] }} ]
underlayRoutes: [ {{ prefix: \"fc00:0:{other}::/48\", via: \"fd00:c::{other}\" }} ]
vrfs:
"
    );
    for tenant in tenants {
        let interface = interface(tenant);
        write!(
            text,
            "  - name: tenant-{tenant}
    importRouteTargets: [\"65000:{tenant}\"]
    exportRouteTargets: [\"65000:{tenant}\"]
    attachmentCircuits: [ {{ interface: {interface}, addresses: [10.0.{site}.1/24, \"fd00:{site}::1/64\"] }} ]
"
        )
        .unwrap();
    }
    text
}

/// The tenants' ends do not answer ARP and neighbour discovery: the PE is told who is there.
fn neighbours(lab: &str, site: u8) {
    let namespace = format!("clab-{lab}-pe{site}");
    let mut ip = Command::new("ip");
    ip.args(["-n", &namespace, "-batch", "-"]).stdin(Stdio::piped());
    let mut ip = ip.spawn().unwrap();
    let mut input = ip.stdin.take().unwrap();
    for tenant in 0..TENANTS {
        let (interface, mac) = (interface(tenant), colons(mac(TENANT, site, tenant)));
        for host in [host4(site).to_string(), host6(site).to_string()] {
            writeln!(input, "neighbour replace {host} lladdr {mac} dev {interface} nud permanent").unwrap();
        }
    }
    drop(input);
    assert!(ip.wait().unwrap().success());
}

#[test]
fn two_hundred_tenants_with_the_same_addresses_never_meet() {
    const ROUNDS: u64 = 10;
    let net = Net::up("many");
    for round in 1..=ROUNDS {
        net.round();
        // Two families in each round.
        net.await_arrivals(0..TENANTS, 2 * round);
    }
    net.assert_nothing_crossed();
    let exact =
        [0, 1].map(|_| (0..TENANTS).map(|tenant| ((tenant, tenant), 2 * ROUNDS)).collect::<Arrivals>());
    assert_eq!(net.arrivals(), exact, "every packet arrives once");
}

#[test]
fn two_hundred_tenants_lose_nothing_while_both_agents_are_killed_and_come_back() {
    let net = Net::up("killed");
    let swept = |pe| net.lab.node(pe).logs().matches("nobody confirmed").count();
    let mut rounds = 0;
    let mut round = || {
        net.round();
        rounds += 1;
        net.await_arrivals(0..TENANTS, 2 * rounds);
    };
    for pe in ["pe1", "pe2"] {
        net.lab.node(pe).kill_main(Signal::SIGKILL).unwrap();
    }
    round();
    for pe in ["pe1", "pe2"] {
        net.lab.node(pe).start_main().unwrap();
    }
    let back = wait_until(PATIENCE, || {
        round();
        swept("pe1") == 2 && swept("pe2") == 2
    });
    assert!(back, "{}\n{}", net.lab.node("pe1").logs(), net.lab.node("pe2").logs());
    round();
    println!("{rounds} rounds without agents and with new ones");
    net.await_routes("pe1", TENANTS);
    net.await_routes("pe2", TENANTS);
}

#[test]
fn tenants_that_come_and_go_meet_nobody_and_disturb_nobody() {
    /// At both ends of the list, so that those who stay are between them.
    const COMING_AND_GOING: u16 = 50;
    let staying = COMING_AND_GOING..TENANTS - COMING_AND_GOING;
    let net = Net::up("churn");
    let done = AtomicBool::new(false);
    let rounds = thread::scope(|scope| {
        let churn = scope.spawn(|| {
            net.reload(COMING_AND_GOING..TENANTS);
            net.reload(0..TENANTS - COMING_AND_GOING);
            net.reload(staying.clone());
            // In another order, so that numbers that became free go to other tenants.
            net.reload((0..TENANTS).rev());
            done.store(true, Ordering::Relaxed);
        });
        let mut rounds = 0;
        while !done.load(Ordering::Relaxed) && !churn.is_finished() {
            net.round();
            rounds += 1;
            net.await_arrivals(staying.clone(), 2 * rounds);
        }
        rounds
    });
    println!("{rounds} rounds during four reloads");
    net.assert_nothing_crossed();
    net.await_routes("pe1", TENANTS);
    net.await_routes("pe2", TENANTS);
    let before = net.arrivals();
    net.round();
    for tenant in 0..TENANTS {
        let count = |arrivals: &Arrivals| arrivals.get(&(tenant, tenant)).copied().unwrap_or(0);
        let back = || net.arrivals().iter().zip(&before).all(|(now, before)| count(now) >= count(before) + 2);
        assert!(wait_until(PATIENCE, back), "tenant {tenant} is not back\n{}", net.drops());
    }
    net.assert_nothing_crossed();
}
