//! Services: a VIP with a port in front of backends.

/// Key of the services: 24 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct ServiceKey {
    /// VRF.
    pub vrf: u32,
    /// The VIP; an IPv4 address stands in the first four octets.
    pub address: [u8; 16],
    /// Port, network order.
    pub port: [u8; 2],
    /// IP protocol: TCP, UDP or SCTP.
    pub protocol: u8,
    /// 4 or 6.
    pub family: u8,
}

/// A service: 32 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct ServiceEntry {
    /// Index of the service's counters.
    pub counter: u32,
    /// Bits of [`service_flag`].
    pub flags: u32,
    /// Seconds that a client keeps its backend; 0 without session affinity.
    pub affinity: u32,
    /// Reserved, zero.
    pub reserved: u32,
    /// Every ready backend.
    pub all: MaglevTable,
    /// Those behind this node.
    pub here: MaglevTable,
}

/// Where a Maglev table lies: 8 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct MaglevTable {
    /// First of its rows.
    pub row: u32,
    /// Number of entries, a prime; 0 without any backend.
    pub size: u32,
}

/// Bits of [`ServiceEntry::flags`].
pub mod service_flag {
    /// `externalTrafficPolicy: Local`: backends behind this node, wherever the packet comes from, as long as there are any.
    pub const LOCAL: u32 = 1;
}

/// A backend of a service, by index: 32 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct BackendEntry {
    /// Its address; an IPv4 address stands in the first four octets.
    pub address: [u8; 16],
    /// Its port, network order.
    pub port: [u8; 2],
    /// 4 or 6.
    pub family: u8,
    /// Bits of [`backend_flag`].
    pub flags: u8,
    /// Changes when the slot is given to another backend.
    pub generation: u32,
    /// Index of the egress address that packets to it are translated to, plus one; 0 for none.
    pub source: u32,
    /// Its share, which the tables have. 0 of one that drains: it takes no flows that are new, not even of clients that it
    /// had before.
    pub weight: u16,
    /// Index of its service's counters.
    pub service: u16,
}

/// Bits of [`BackendEntry::flags`].
pub mod backend_flag {
    /// Takes packets, of established flows at least.
    pub const LIVE: u8 = 1;
    /// Behind another PE that has the same service: it gets packets as they are, and answers the client itself.
    pub const DIRECT: u8 = 2;
}

/// Indices of backends in one row of the Maglev tables.
pub const MAGLEV_ROW: usize = 64;

/// A row of a Maglev table: 256 octets.
pub type MaglevRow = [u32; MAGLEV_ROW];

/// What is counted per service; the array's index is `counter * COUNT + which`.
pub mod service_counter {
    /// From clients to backends.
    pub const FORWARDED: u32 = 0;
    /// From backends back to clients.
    pub const REPLIES: u32 = 1;
    /// Flows that were given a backend.
    pub const FLOWS: u32 = 2;
    /// Dropped, for there was no backend.
    pub const REFUSED: u32 = 3;
    /// Number of counters of a service.
    pub const COUNT: u32 = 4;
}
