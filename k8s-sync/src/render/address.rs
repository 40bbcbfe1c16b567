use std::net::IpAddr;

/// Whether an address can be a host route of a VRF, as VIPs and egress addresses are.
pub(super) fn is_unicast(address: IpAddr) -> bool {
    let of_a_link = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !(of_a_link || address.is_unspecified() || address.is_multicast() || address.is_loopback())
}
