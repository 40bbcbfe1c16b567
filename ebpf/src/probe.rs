//! Connections that the node itself has opened to a host of a VRF, as kubelets do to see whether a pod lives. The node has a
//! route to the host beside the VRF; the host's answers come in by its circuit like all that it sends.

use aya_ebpf::{
    bindings::{__sk_buff, bpf_sock_tuple},
    helpers::generated as helpers,
};

use crate::{
    local::Owner,
    packet::{
        Family, Frame, Skb, Tuple,
        headers::{ETHERNET, IPV4, IPV6, Ipv4, Ipv6, Tcp, ethertype, protocol},
        read_tuple,
    },
};

const FIN: u8 = 1;
const RST: u8 = 4;
const SYN: u8 = 2;
const ACK: u8 = 16;
/// States of a socket, include/net/tcp_states.h: who listens or is about to accept has been called, and has not called.
const LISTEN: u32 = 10;
const NEW_SYN_RECV: u32 = 12;
const CURRENT_NETNS: u64 = -1_i32 as i64 as u64;

/// Whether the packet is a host's answer in a TCP connection that a socket of this node has with it.
#[inline(always)]
pub(crate) fn is_answer(skb: Skb, vrf: u32) -> bool {
    answers_probe(skb.raw(), vrf) != 0
}

/// Exported: see [`crate::outcome`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn answers_probe(skb: *mut __sk_buff, vrf: u32) -> u64 {
    let skb = Skb::from_raw(skb);
    let answers = match skb.ethertype() {
        ethertype::IPV4 => answers(skb, vrf, Family::V4),
        ethertype::IPV6 => answers(skb, vrf, Family::V6),
        _ => None,
    };
    answers.unwrap_or(false).into()
}

#[inline(always)]
fn answers(skb: Skb, vrf: u32, family: Family) -> Option<bool> {
    let frame = skb.frame();
    let mut connection = read_tuple(frame, ETHERNET, [0, 0], family)?;
    let transport = tcp_offset(frame, family)?;
    let tcp = frame.at::<Tcp>(ETHERNET + transport).ok()?;
    // SAFETY: `at` has checked the bounds.
    let (ports, flags) = unsafe { ((*tcp).ports, (*tcp).flags) };
    let [a, b, c, d] = ports.to_ne_bytes();
    connection.ports = [u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d])];
    // Another's address, of a BGP peer for one, would be heard as that one's.
    let of_host = || Owner::of(vrf, skb.ifindex(), family, &connection.source) == Owner::Host;
    Some(answers_something(flags) && of_host() && has_opened(skb, &connection))
}

/// Octets of the IP header of a whole TCP packet. Extension headers are none of a probe's.
#[inline(always)]
fn tcp_offset(frame: Frame, family: Family) -> Option<usize> {
    let (octets, protocol, fragment) = match family {
        Family::V4 => {
            // SAFETY: `at` has checked the bounds; so below.
            let header = unsafe { &*frame.at::<Ipv4>(ETHERNET).ok()? };
            let parts = Ipv4::MORE_FRAGMENTS | Ipv4::FRAGMENT_OFFSET;
            let octets = usize::from(header.version_ihl & 0x0f) * 4;
            (octets, header.protocol, header.fragment & parts != 0)
        }
        Family::V6 => {
            let header = unsafe { &*frame.at::<Ipv6>(ETHERNET).ok()? };
            (IPV6, header.next_header, false)
        }
    };
    (protocol == protocol::TCP && octets >= IPV4 && !fragment).then_some(octets)
}

/// Never what opens a connection, not even from both ends at once (RFC 9293 section 3.5).
#[inline(always)]
const fn answers_something(flags: u8) -> bool {
    flags & (ACK | RST) != 0 && !(flags & SYN != 0 && flags & (ACK | RST | FIN) != ACK)
}

/// Whether this node has a socket of exactly that connection.
#[inline(always)]
fn has_opened(skb: Skb, connection: &Tuple) -> bool {
    const OCTETS4: u32 = 12;
    const OCTETS6: u32 = 36;
    let Tuple { source, destination, ports, .. } = connection;
    // SAFETY: plain integers.
    let mut tuple: bpf_sock_tuple = unsafe { core::mem::zeroed() };
    let octets = match connection.family {
        Family::V4 => {
            // SAFETY: either member of the union may be written; so below.
            let ipv4 = unsafe { &mut tuple.__bindgen_anon_1.ipv4 };
            (ipv4.saddr, ipv4.daddr) = (source.0[0], destination.0[0]);
            [ipv4.sport, ipv4.dport] = *ports;
            OCTETS4
        }
        Family::V6 => {
            let ipv6 = unsafe { &mut tuple.__bindgen_anon_1.ipv6 };
            (ipv6.saddr, ipv6.daddr) = (source.0, destination.0);
            [ipv6.sport, ipv6.dport] = *ports;
            OCTETS6
        }
    };
    // SAFETY: context and tuple are valid for the call; the socket is given back below, and not used behind that.
    unsafe {
        let socket = helpers::bpf_skc_lookup_tcp(skb.raw().cast(), &raw mut tuple, octets, CURRENT_NETNS, 0);
        if socket.is_null() {
            return false;
        }
        let state = (&raw const (*socket).state).read_volatile();
        helpers::bpf_sk_release(socket.cast());
        !matches!(state, LISTEN | NEW_SYN_RECV)
    }
}
