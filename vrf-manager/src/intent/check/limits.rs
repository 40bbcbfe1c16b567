//! What the maps of the dataplane have room for, all VRFs together (`ebpf/src/maps.rs`).

use ipnet::IpNet;

use super::Faults;
use crate::intent::{Intent, Service, Vrf};

/// Ports of VIPs, an address and a port together.
pub const VIP_PORTS: usize = 16_384;
/// Backends of ports of VIPs, see [`backends_of`].
pub const BACKENDS: usize = 65_535;
/// Egress addresses of the node.
pub const EGRESS_ADDRESSES: usize = 4096;
/// Egress policies.
pub const EGRESS_POLICIES: usize = 4096;
/// Sources of egress policies of a family.
pub const EGRESS_SOURCES: usize = 16_384;
/// Rules of all filters, of one family each.
pub const FILTER_RULES: usize = 65_536;
/// Matches that all filters are compiled to. As many again are kept for filters that are being replaced.
pub const FILTER_MATCHES: usize = 262_144;

const MAX_FLOWS: std::ops::RangeInclusive<u32> = 1024..=4_194_304;

/// A resource of which each of some places takes a part.
struct Room {
    what: &'static str,
    size: usize,
    used: usize,
}

impl Room {
    const fn of(size: usize, what: &'static str) -> Self {
        Self { what, size, used: 0 }
    }

    /// The first place that finds too little is told.
    fn take(&mut self, count: usize, place: &str, faults: &mut Faults) {
        let fitted = self.used <= self.size;
        self.used += count;
        if fitted && self.used > self.size {
            let problem = format!("with this there are {} {}, more than {}", self.used, self.what, self.size);
            faults.add(place, problem, "remove what is not needed, or move VRFs to another node");
        }
    }
}

pub(super) fn check(intent: &Intent, faults: &mut Faults) {
    let mut services = Room::of(VIP_PORTS, "ports of VIPs");
    let mut backends = Room::of(BACKENDS, "backends of ports of VIPs");
    let mut addresses = Room::of(EGRESS_ADDRESSES, "egress addresses of this node");
    let mut policies = Room::of(EGRESS_POLICIES, "egress policies");
    let mut sources = [(); 2].map(|()| Room::of(EGRESS_SOURCES, "sources of egress policies"));
    for (i, vrf) in intent.vrfs.iter().enumerate() {
        let path = format!("vrfs[{i}]");
        flows(vrf, &path, faults);
        for (j, service) in vrf.services.iter().enumerate() {
            let place = format!("{path}.services[{j}]");
            services.take(service.addresses.len() * service.ports.len(), &place, faults);
            backends.take(backends_of(service), &format!("{place}.backends"), faults);
        }
        addresses.take(vrf.egress_addresses().len(), &path, faults);
        for (j, policy) in vrf.egress.iter().enumerate() {
            let place = format!("{path}.egress[{j}]");
            policies.take(1, &place, faults);
            for (room, ipv4) in sources.iter_mut().zip([true, false]) {
                let of_family = |net: &&IpNet| net.addr().is_ipv4() == ipv4;
                room.take(
                    policy.sources.iter().filter(of_family).count(),
                    &format!("{place}.sources"),
                    faults,
                );
            }
        }
    }
}

/// Backends that the maps hold for a service: one for each of its VIPs of the family, and for each port.
pub fn backends_of(service: &Service) -> usize {
    let of_family = |ipv4: bool| service.backends.iter().filter(|b| b.address.is_ipv4() == ipv4).count();
    let per_port: usize = service.addresses.iter().map(|vip| of_family(vip.is_ipv4())).sum();
    per_port * service.ports.len()
}

fn flows(vrf: &Vrf, path: &str, faults: &mut Faults) {
    faults.add_if(
        !MAX_FLOWS.contains(&vrf.max_flows),
        format!("{path}.maxFlows"),
        &format!("{} is no size of a flow table", vrf.max_flows),
        "write 1024 to 4194304",
    );
}
