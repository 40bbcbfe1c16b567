//! The programs in the kernel: tc classifiers on attachment circuits and on core interfaces. Entry points only.
#![no_std]
#![no_main]
#![expect(unsafe_code, reason = "packets, maps and helpers are raw memory; the verifier checks every access")]
#![expect(missing_docs, unreachable_pub, reason = "the macro copies neither documentation nor visibility")]

mod arp;
mod circuit_egress;
mod counters;
mod deliver;
mod egress;
mod endpoint;
mod events;
mod fib;
mod filter;
mod flow;
mod forward;
mod guard;
mod headend;
mod icmp;
mod ingress;
mod local;
mod maps;
mod nd;
mod neighbor;
mod outcome;
mod packet;
mod probe;
mod send;
mod services;
mod source;
mod translate;
mod underlay;

use aya_ebpf::{macros::classifier, programs::TcContext};
use packet::Skb;

/// Tenant traffic, on the ingress of every attachment circuit.
#[classifier]
pub fn circuit_ingress(context: TcContext) -> i32 {
    ingress::circuit::ingress(Skb::new(&context))
}

/// What leaves by an attachment circuit.
#[classifier]
pub fn circuit_egress(context: TcContext) -> i32 {
    circuit_egress::egress(Skb::new(&context))
}

/// Traffic of the SRv6 domain, on the ingress of every core interface.
#[classifier]
pub fn core_ingress(context: TcContext) -> i32 {
    ingress::core::ingress(Skb::new(&context))
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The verifier refuses a program in which this could be reached.
    loop {}
}

/// Several helpers are for programs under a licence compatible with the GPL only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 4] = *b"GPL\0";
