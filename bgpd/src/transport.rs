//! What a peer's TCP connections are made with: a hop limit, and signatures (RFC 2385).

use std::{net::IpAddr, os::fd::AsFd};

use bgp_core::config::{Secret, Transport};
use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt},
};

/// A connection would not be what is configured, so there is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    /// The kernel does not sign.
    #[error(
        "the password cannot be set: {0}; the kernel needs CONFIG_TCP_MD5SIG, and net.core.optmem_max room for all \
         neighbors with a password"
    )]
    Password(Errno),
    /// The kernel refuses the hop limit.
    #[error("the hop limit cannot be set: {0}")]
    HopLimit(Errno),
}

/// Makes a socket, connected or about to be, as `transport` wants it towards `remote`.
pub(crate) fn set(socket: &impl AsFd, remote: IpAddr, transport: &Transport) -> Result<(), TransportError> {
    if let Some(hops) = transport.hop_limit {
        let hops = i32::from(hops);
        match remote {
            IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4Ttl, &hops),
            IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6Ttl, &hops),
        }
        .map_err(TransportError::HopLimit)?;
    }
    transport.password.as_ref().map_or(Ok(()), |password| sign(socket, remote, password))
}

/// From now on segments to and from `remote` are signed; those of connections that are accepted later as well.
pub(crate) fn sign(socket: &impl AsFd, remote: IpAddr, password: &Secret) -> Result<(), TransportError> {
    setsockopt(socket, Md5Sig, &Signature::new(remote, &password.0)).map_err(TransportError::Password)
}

/// Undoes [`sign`] for what is accepted later; it is no error where there is no key.
pub(crate) fn unsign(socket: &impl AsFd, remote: IpAddr) -> Result<(), TransportError> {
    match setsockopt(socket, Md5Sig, &Signature::new(remote, &[])) {
        Err(Errno::ENOENT) => Ok(()),
        other => other.map_err(TransportError::Password),
    }
}

const KEY: usize = 80;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// `struct tcp_md5sig` of the kernel's interface, which libc does not have. The address is a `sockaddr_storage`.
#[repr(C)]
struct Signature {
    family: u16,
    port: u16,
    /// `sockaddr_in` has its address here, `sockaddr_in6` its flow label.
    address_or_flow: [u8; 4],
    address6: [u8; 16],
    unused_address: [u8; 104],
    flags: u8,
    prefix_length: u8,
    /// 0 takes the key away.
    key_length: u16,
    interface: i32,
    key: [u8; KEY],
}

const _: () = assert!(size_of::<Signature>() == 128 + 8 + KEY);

impl Signature {
    /// The configuration holds no longer key than fits.
    fn new(remote: IpAddr, password: &[u8]) -> Self {
        let mut signature = Self {
            family: AF_INET,
            port: 0,
            address_or_flow: [0; 4],
            address6: [0; 16],
            unused_address: [0; 104],
            flags: 0,
            prefix_length: 0,
            key_length: 0,
            interface: 0,
            key: [0; KEY],
        };
        match remote {
            IpAddr::V4(address) => signature.address_or_flow = address.octets(),
            IpAddr::V6(address) => {
                (signature.family, signature.address6) = (AF_INET6, address.octets());
            }
        }
        for (octet, of_password) in signature.key.iter_mut().zip(password) {
            *octet = *of_password;
            signature.key_length += 1;
        }
        signature
    }
}

#[derive(Clone, Copy)]
struct Md5Sig;

nix::setsockopt_impl!(
    Md5Sig,
    libc::IPPROTO_TCP,
    libc::TCP_MD5SIG,
    Signature,
    sockopt::SetStruct<'_, Signature>
);
