use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Serialize, Serializer};

use super::NoWay;
use crate::allocate::AllocateError;

/// Something wanted that cannot be had now. Everything else goes on; the next plan may find it solved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No number is left.
    #[error(transparent)]
    NotAllocated(#[from] AllocateError),
    /// A core interface does not exist.
    #[error("core interface {interface} does not exist; create it, or correct srv6.coreInterfaces")]
    NoCoreInterface {
        /// Its name.
        interface: String,
    },
    /// A circuit's interface does not exist.
    #[error("VRF {vrf}: interface {interface} does not exist; create it, or correct the attachment circuit")]
    NoInterface {
        /// The VRF.
        vrf: String,
        /// Its name.
        interface: String,
    },
    /// A circuit's interface is down: its subnets are not routed.
    #[error(
        "VRF {vrf}: interface {interface} is down; ip link set {interface} up, and look at its other end"
    )]
    InterfaceDown {
        /// The VRF.
        vrf: String,
        /// Its name.
        interface: String,
    },
    /// The same interface is a circuit of another VRF, or a core interface, already.
    #[error(
        "VRF {vrf}: interface {interface} is in use already; an interface belongs to one VRF or to the core"
    )]
    InterfaceTaken {
        /// The VRF.
        vrf: String,
        /// Its name.
        interface: String,
    },
    /// A circuit that is a port of a bridge, whose hosts the kernel cannot find.
    #[error(
        "VRF {vrf}: interface {interface} is a port of a bridge, which takes the answers to ARP and neighbor discovery; set hostMac and proxy, take it out of the bridge, or make the bridge the circuit"
    )]
    BridgePort {
        /// The VRF.
        vrf: String,
        /// Its name.
        interface: String,
    },
    /// A subnet on several interfaces by one pattern.
    #[error(
        "VRF {vrf}: {subnet} is on every interface that {pattern} matches, and its route leads to {interface} alone; write /32 or /128 and tell the hosts of each interface, or put the interfaces into a bridge and write the bridge"
    )]
    SharedSubnet {
        /// The VRF.
        vrf: String,
        /// The circuit's pattern.
        pattern: String,
        /// The subnet.
        subnet: IpNet,
        /// Where its route leads.
        interface: String,
    },
    /// The VRF has no locator to take SIDs from.
    #[error(
        "VRF {vrf}: no locator to take SIDs from; add one to srv6.locators, or correct the VRF's locator"
    )]
    NoLocator {
        /// The VRF.
        vrf: String,
    },
    /// The next hop of a static route lies on no circuit that is up.
    #[error(
        "VRF {vrf}: route {prefix} leads to {via}, which is in no subnet of a circuit that is up; correct via, or bring the circuit up"
    )]
    NextHopUnreachable {
        /// The VRF.
        vrf: String,
        /// Destination.
        prefix: IpNet,
        /// Next hop.
        via: IpAddr,
    },
    /// A static route has no segment, or more than the dataplane takes.
    #[error("VRF {vrf}: route {prefix} has {count} segments; write 1 to {}", srv6_types::maps::MAX_SEGMENTS)]
    Segments {
        /// The VRF.
        vrf: String,
        /// Destination.
        prefix: IpNet,
        /// How many.
        count: usize,
    },
    /// A backend that should take packets, and cannot.
    #[error(
        "VRF {vrf}: service {service} has no way to backend {backend}: {reason}; correct it, or set its state to down"
    )]
    NoWayToBackend {
        /// The VRF.
        vrf: String,
        /// The service.
        service: String,
        /// The backend.
        backend: IpAddr,
        /// Why.
        reason: NoWay,
    },
    /// A service that refuses every client.
    #[error(
        "VRF {vrf}: service {service} has no ready backend of the family of one of its addresses; clients are refused until it has one"
    )]
    NoReadyBackend {
        /// The VRF.
        vrf: String,
        /// The service.
        service: String,
    },
    /// The interface of a route of the underlay does not exist.
    #[error("underlay route {prefix}: interface {interface} does not exist; create it, or correct the route")]
    NoUnderlayInterface {
        /// Destination.
        prefix: IpNet,
        /// Its name.
        interface: String,
    },
}

impl Problem {
    /// The VRF concerned.
    pub fn vrf(&self) -> Option<&str> {
        match self {
            Self::NotAllocated(
                AllocateError::Vrfs { vrf }
                | AllocateError::Functions { vrf, .. }
                | AllocateError::Distinguishers { vrf },
            )
            | Self::NoInterface { vrf, .. }
            | Self::InterfaceDown { vrf, .. }
            | Self::InterfaceTaken { vrf, .. }
            | Self::SharedSubnet { vrf, .. }
            | Self::BridgePort { vrf, .. }
            | Self::NoLocator { vrf }
            | Self::NextHopUnreachable { vrf, .. }
            | Self::NoWayToBackend { vrf, .. }
            | Self::NoReadyBackend { vrf, .. }
            | Self::Segments { vrf, .. } => Some(vrf),
            Self::NoCoreInterface { .. } | Self::NoUnderlayInterface { .. } => None,
        }
    }
}

/// As its text: place, problem and remedy.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
