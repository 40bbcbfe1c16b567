//! Sans-IO BGP: the session state machine, the RIBs, the decision process, VPN import and export.
//!
//! Pure functions of input and state: no sockets, no clock (`now` comes in), no tokio. `bgpd` drives it.

pub mod config;
pub mod rib;
pub mod session;
pub mod speaker;
