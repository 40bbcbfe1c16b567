//! One route: who forwards, encapsulates and decapsulates at what price.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use srv6_dp::{
    State,
    model::{LocalSid, NextHop, SidRole, Vrf},
};
use srv6_types::{Behavior, Sid, VrfId};

use super::{
    DataplaneBenchError as Error, Options,
    contest::{self, History, Subject},
    device::{Device, Ends, Interfaces, circuit},
    frames::{IN_MAC, OUT_MAC, Traffic},
    generator::Generator,
};
use crate::folder::Folder;

pub(crate) const VRF: VrfId = VrfId(1);
/// The tenant's far site, and the SID that leads to it.
pub(crate) const SITE4: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
pub(crate) const SITE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 1);
pub(crate) const REMOTE_SID: Ipv6Addr = Ipv6Addr::new(0xfc00, 0, 2, 0x46, 0, 0, 0, 0);
/// The device's own SID.
const OWN_SID: Ipv6Addr = Ipv6Addr::new(0xfc00, 0, 1, 0x46, 0, 0, 0, 0);

/// A subject: its name, its traffic, and how its device becomes it.
type Entry = (&'static str, usize, fn(&mut Device, &Folder) -> Result<(), Error>);

/// The number of the traffic in [`traffic`] stands second.
const SUBJECTS: [Entry; 11] = [
    ("tc redirect, packet untouched (the limit)", 0, |device, _| device.redirect()),
    ("kernel IPv4 forwarding", 0, |device, _| kernel(device, "ip route add 10.9.0.0/16 via 10.2.0.2")),
    ("kernel encap.red, IPv4", 0, |device, _| {
        kernel(device, "ip route add 10.9.0.0/16 encap seg6 mode encap.red segs fc00:0:2:46:: dev out0")
    }),
    ("sixedge H.Encaps.Red, IPv4", 0, headend),
    ("kernel encap.red, IPv6", 1, |device, _| {
        kernel(
            device,
            "ip -6 route add 2001:db8:9::/48 encap seg6 mode encap.red segs fc00:0:2:46:: dev out0",
        )
    }),
    ("sixedge H.Encaps.Red, IPv6", 1, headend),
    ("tc redirect of an SRv6 packet, untouched", 2, |device, _| device.redirect()),
    ("kernel End.DX4", 2, |device, _| {
        kernel(device, "ip route add 10.9.0.0/16 via 10.2.0.2")?;
        // A next hop on the link itself would be asked for by the inner destination.
        kernel(
            device,
            "ip -6 route add fc00:0:1:46::/128 encap seg6local action End.DX4 nh4 10.9.0.1 dev out0",
        )
    }),
    ("sixedge End.DT46, IPv4", 2, endpoint),
    ("kernel End.DT6", 3, |device, _| {
        kernel(
            device,
            "ip -6 route add fc00:0:1:46::/128 encap seg6local action End.DT6 table 254 dev out0",
        )?;
        kernel(device, "ip -6 route add 2001:db8:9::/48 via fd00:c::2")
    }),
    ("sixedge End.DT46, IPv6", 3, endpoint),
];
/// Ratios are to kernel's encap.red and to kernel's decapsulation of the same family.
const BASE: [usize; 11] = [2, 2, 2, 2, 4, 4, 7, 7, 7, 9, 9];

fn traffic() -> [Traffic; 4] {
    [
        Traffic::ipv4(&[SITE4]),
        Traffic::ipv6(&[SITE6]),
        Traffic::encapsulated(OWN_SID, IpAddr::V4(SITE4)),
        Traffic::encapsulated(OWN_SID, IpAddr::V6(SITE6)),
    ]
}

pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), Error> {
    let ends = Ends::new()?;
    let generators = traffic().iter().map(Generator::new).collect::<Result<Vec<_>, _>>()?;
    let mut devices = Vec::new();
    for (number, (_, _, become_it)) in SUBJECTS.iter().enumerate() {
        let mut device = Device::new(&ends, number)?;
        become_it(&mut device, folder)?;
        devices.push(device);
    }
    let subjects = SUBJECTS.iter().zip(&devices).map(|((name, traffic, _), device)| Subject {
        name: (*name).to_owned(),
        device,
        traffic: &generators[*traffic],
        history: History::Whatever,
    });
    let subjects: Vec<_> = subjects.collect();
    println!(
        "\nCPU per packet, one core, one route, {} packets of 64 octets (SRv6: 128) in each of {} rounds\n",
        options.packets, options.rounds
    );
    let samples = contest::measure(&ends, &subjects, options)?;
    println!("{}", contest::table(&subjects, &samples, &BASE, "the kernel's SRv6"));
    Ok(())
}

fn kernel(device: &mut Device, route: &str) -> Result<(), Error> {
    Ok(device.namespace.script(route)?)
}

fn headend(device: &mut Device, folder: &Folder) -> Result<(), Error> {
    device.provider_edge(folder, |state, interfaces| {
        towards_core(state, interfaces);
        let far = encapsulate();
        state.routes.insert((VRF, ipnet(SITE4.into(), 16)), far.clone());
        state.routes.insert((VRF, ipnet(SITE6.into(), 48)), far);
    })
}

/// A PE whose circuit is `in0` and whose core is `out0`.
pub(crate) fn towards_core(state: &mut State, interfaces: Interfaces) {
    state.node.source = Some(Ipv6Addr::new(0xfd00, 0xc, 0, 0, 0, 0, 0, 1));
    state.vrfs.insert(VRF, Vrf::default());
    state.circuits.insert(interfaces.inward, circuit(VRF, IN_MAC));
    state.core.insert(interfaces.outward);
}

pub(crate) fn encapsulate() -> NextHop {
    NextHop::Encapsulate { segments: vec![Sid::from(REMOTE_SID)], reduced: true }
}

fn endpoint(device: &mut Device, folder: &Folder) -> Result<(), Error> {
    device.provider_edge(folder, |state, interfaces| {
        state.vrfs.insert(VRF, Vrf::default());
        state.core.insert(interfaces.inward);
        state.circuits.insert(interfaces.outward, circuit(VRF, OUT_MAC));
        state.sids.insert(
            Sid::from(OWN_SID),
            LocalSid { behavior: Behavior::END_DT46, vrf: VRF, role: SidRole::Deliver },
        );
        let gateway = |address: IpAddr| NextHop::Gateway { interface: interfaces.outward, address };
        let gateway4 = gateway(Ipv4Addr::new(10, 2, 0, 2).into());
        let gateway6 = gateway(Ipv6Addr::new(0xfd00, 0xc, 0, 0, 0, 0, 0, 2).into());
        state.routes.insert((VRF, ipnet(SITE4.into(), 16)), gateway4);
        state.routes.insert((VRF, ipnet(SITE6.into(), 48)), gateway6);
    })
}

/// The network of an address; lengths of the benchmark are in range.
pub(crate) fn ipnet(address: IpAddr, length: u8) -> ipnet::IpNet {
    ipnet::IpNet::new_assert(address, length).trunc()
}
