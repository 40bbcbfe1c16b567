/// An attachment circuit, by ifindex: 52 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct CircuitEntry {
    /// VRF the circuit belongs to.
    pub vrf: u32,
    /// MTU of the interface in octets, layer 3.
    pub mtu: u32,
    /// The circuit's IPv4 gateway address (source of ICMP errors), zero when it has none.
    pub gateway4: [u8; 4],
    /// MAC address of the interface.
    pub mac: [u8; 6],
    /// Bits of [`circuit_flag`].
    pub flags: u16,
    /// The circuit's IPv6 gateway address, zero when it has none.
    pub gateway6: [u8; 16],
    /// Id of its filter, 0 for none.
    pub filter: u32,
    /// Class of its hosts' egress policies, 0 for none.
    pub egress: u32,
    /// With [`circuit_flag::HOST_MAC`], the MAC address that its hosts have.
    pub host_mac: [u8; 6],
    /// Reserved, zero.
    pub reserved: [u8; 2],
}

/// Bits of [`CircuitEntry::flags`].
pub mod circuit_flag {
    /// The program answers ARP and neighbour solicitations for all that is not on the circuit itself.
    pub const PROXY: u16 = 1;
    /// Answers of the hosts to TCP connections of the node are the kernel's.
    pub const PROBES: u16 = 2;
    /// The hosts' MAC address is known.
    pub const HOST_MAC: u16 = 4;
    /// Only sources that the VRF's routes lead to by this circuit: strict reverse path forwarding, RFC 3704 section 2.2.
    pub const STRICT: u16 = 8;
}
