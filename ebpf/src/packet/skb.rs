use aya_ebpf::{
    bindings::{
        __sk_buff, BPF_F_ADJ_ROOM_DECAP_L3_IPV6, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6, BPF_F_ADJ_ROOM_FIXED_GSO,
        BPF_F_MARK_MANGLED_0, BPF_F_PSEUDO_HDR, bpf_adj_room_mode::BPF_ADJ_ROOM_MAC,
    },
    helpers::generated as helpers,
    programs::TcContext,
};
use srv6_types::DropReason;

use super::{
    Family, Frame,
    headers::{ETHERNET, IPV4, IPV6, ethertype},
};

/// Octets of headers that the programs want to read directly: a packet's with an outer one, or with what stands in
/// front of its ports.
const HEADERS: u32 = 256;

/// Octets that hold every header of a packet twice over.
const DISPOSABLE: u32 = 512;
/// Most that the kernel adjusts at once, 4095, rounded.
const ADJUSTMENT: i32 = 4088;
/// Room made only to be taken off again.
const SPARE: i32 = 8;
/// How often that goes into the largest packet.
const ADJUSTMENTS: usize = 18;

/// Tags of priority only, one behind the other, that are put up with, and one.
const PRIORITY_TAGS: usize = 3;
/// Of a tag, what names the VLAN.
const VLAN_ID: u32 = 0xfff;

/// What a checksum field of zero is.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Zero {
    /// A checksum like any other.
    Checksum = 0,
    /// None, of UDP: it stays, and nothing becomes it.
    NoChecksum = BPF_F_MARK_MANGLED_0 as u64,
}

/// The kernel's buffer, and what it lets us do to it.
#[derive(Clone, Copy)]
pub(crate) struct Skb(*mut __sk_buff);

impl Skb {
    #[inline(always)]
    pub(crate) fn new(context: &TcContext) -> Self {
        Self(context.skb.skb)
    }

    #[inline(always)]
    pub(crate) const fn from_raw(skb: *mut __sk_buff) -> Self {
        Self(skb)
    }

    #[inline(always)]
    pub(crate) fn raw(self) -> *mut __sk_buff {
        self.0
    }

    #[inline(always)]
    pub(crate) fn len(self) -> u32 {
        // SAFETY: the kernel hands the program a valid context; so in all of these.
        unsafe { (*self.0).len }
    }

    #[inline(always)]
    pub(crate) fn ifindex(self) -> u32 {
        unsafe { (*self.0).ifindex }
    }

    /// EtherType in network order.
    #[inline(always)]
    pub(crate) fn ethertype(self) -> u16 {
        unsafe { (*self.0).protocol as u16 }
    }

    /// Takes off tags without a VLAN (VID 0, IEEE 802.1Q section 6.9): no VLAN interface has the frame, the kernel takes
    /// it for untagged, and so must the programs.
    #[inline(always)]
    pub(crate) fn strip_priority_tags(self) -> Result<(), DropReason> {
        for _ in 0..PRIORITY_TAGS {
            if !self.is_tagged() || unsafe { (*self.0).vlan_tci } & VLAN_ID != 0 {
                return Ok(());
            }
            unsafe { helpers::bpf_skb_vlan_pop(self.0) };
        }
        Err(DropReason::NotIp)
    }

    /// A VLAN tag stands beside the frame: it belongs to a VLAN interface above this one.
    #[inline(always)]
    pub(crate) fn is_tagged(self) -> bool {
        unsafe { (*self.0).vlan_present != 0 }
    }

    /// Addressed to another station's MAC address and only here because the interface listens to all.
    #[inline(always)]
    pub(crate) fn is_for_others(self) -> bool {
        const PACKET_OTHERHOST: u32 = 3;
        unsafe { (*self.0).pkt_type == PACKET_OTHERHOST }
    }

    /// Addressed to our MAC address, and not to a group or to all stations.
    #[inline(always)]
    pub(crate) fn is_for_us(self) -> bool {
        const PACKET_HOST: u32 = 0;
        unsafe { (*self.0).pkt_type == PACKET_HOST }
    }

    /// Addressed to one MAC address, whosever it is.
    #[inline(always)]
    pub(crate) fn is_for_one(self) -> bool {
        self.is_for_us() || self.is_for_others()
    }

    /// Payload octets of each segment of a super-packet, 0 for a plain one.
    #[inline(always)]
    pub(crate) fn gso_size(self) -> u32 {
        unsafe { (*self.0).gso_size }
    }

    #[inline(always)]
    pub(crate) fn frame(self) -> Frame {
        unsafe { Frame::new((*self.0).data as usize, (*self.0).data_end as usize) }
    }

    /// Makes the headers of a packet at `offset` readable where the driver left them in fragments of the buffer.
    #[inline(always)]
    pub(crate) fn pull_headers(self, offset: u32) {
        let wanted = offset + HEADERS;
        let wanted = if self.len() < wanted { self.len() } else { wanted };
        if self.frame().is_shorter_than(wanted as usize) {
            // Failure shows itself as a header that does not fit.
            unsafe { helpers::bpf_skb_pull_data(self.0, wanted) };
        }
    }

    /// Cuts or extends the end.
    #[inline(always)]
    pub(crate) fn set_length(self, octets: u32) -> Result<(), DropReason> {
        // SAFETY: the context is valid.
        match unsafe { helpers::bpf_skb_change_tail(self.0, octets, 0) } {
            0 => Ok(()),
            _ => Err(DropReason::AdjustRoomFailed),
        }
    }

    /// Makes the frame `octets` long, of which only the Ethernet header holds anything of use, and free of what its
    /// sender left to offloads: segmentation and checksum.
    ///
    /// Cutting the end clears segmentation. A checksum to be filled in later is forgotten when the place it begins
    /// at is pulled off the front, and then something more. The kernel refuses to touch the end of a buffer that has
    /// been encapsulated before with only veth pairs between; the front does for all of it then, and a short such
    /// packet keeps its marks, which nothing on veth pairs minds.
    #[inline(always)]
    pub(crate) fn blank(self, octets: u32) -> Result<(), DropReason> {
        let cut = self.set_length(ETHERNET as u32 + DISPOSABLE);
        if cut.is_ok() || self.len() >= ETHERNET as u32 + DISPOSABLE {
            self.adjust(-(DISPOSABLE as i32) / 2)?;
            self.adjust(-8)?;
        }
        if self.set_length(octets).is_ok() {
            return Ok(());
        }
        for _ in 0..ADJUSTMENTS {
            match octets as i32 - self.len() as i32 {
                0 => return Ok(()),
                more => self.adjust(more.clamp(-ADJUSTMENT, ADJUSTMENT))?,
            }
        }
        Err(DropReason::AdjustRoomFailed)
    }

    /// Grows (or shrinks) what stands between the Ethernet header and the rest, by `octets`.
    #[inline(always)]
    pub(crate) fn adjust(self, octets: i32) -> Result<(), DropReason> {
        self.adjust_room(octets, BPF_F_ADJ_ROOM_FIXED_GSO)
    }

    /// Makes room for an outer IPv6 header in front of a packet of `inner`.
    ///
    /// The flag tells the kernel where the inner headers lie, for segmentation offload. It is refused when the
    /// buffer has been encapsulated before and only veth pairs lie between, for nothing clears that mark. The
    /// kernel then already knows the inner headers, and only the protocol is left to be told.
    #[inline(always)]
    pub(crate) fn encapsulate(self, octets: u32, inner: Family) -> Result<(), DropReason> {
        let octets = octets as i32;
        match self.adjust_room(octets, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6 | BPF_F_ADJ_ROOM_FIXED_GSO) {
            Ok(()) => Ok(()),
            Err(_) if inner == Family::V6 => self.adjust(octets),
            Err(_) if self.gso_size() == 0 => {
                self.change_protocol(ethertype::IPV6)?;
                self.adjust(octets - (IPV6 - IPV4) as i32)
            }
            // The same would change what kind of super-packet it is. Stripping a little of too much tells the
            // protocol alone, from kernel 6.3 on.
            Err(_) => {
                self.adjust(octets + SPARE)?;
                self.adjust_room(-SPARE, BPF_F_ADJ_ROOM_DECAP_L3_IPV6 | BPF_F_ADJ_ROOM_FIXED_GSO)
            }
        }
    }

    /// Strips `octets` of outer headers in front of a packet of `inner`.
    #[inline(always)]
    pub(crate) fn decapsulate(self, octets: u32, inner: Family) -> Result<(), DropReason> {
        match inner {
            // The flags that say which family comes out are younger than 5.15. This helper takes off the
            // difference of the two headers and sets the protocol.
            Family::V4 => {
                self.change_protocol(ethertype::IPV4)?;
                self.adjust((IPV6 - IPV4) as i32 - octets as i32)
            }
            Family::V6 => self.adjust(-(octets as i32)),
        }
    }

    /// Adds to the transport checksum at `offset` the difference of the addresses that it covers. What a device is still
    /// to make a checksum of holds the addresses' sum.
    #[inline(always)]
    pub(crate) fn add_addresses_to_checksum(
        self,
        offset: u32,
        difference: u32,
        family: Family,
        zero: Zero,
    ) -> Result<(), DropReason> {
        const PSEUDO: u64 = BPF_F_PSEUDO_HDR as u64;
        /// The sum over the whole IPv6 packet stays as it is. Kernels that do not know the flag refuse it.
        const IPV6: u64 = 1 << 7;
        if family == Family::V6
            && self.add_to_checksum(offset, difference, PSEUDO | IPV6 | zero as u64).is_ok()
        {
            return Ok(());
        }
        self.add_to_checksum(offset, difference, PSEUDO | zero as u64)
    }

    /// The same for what stands in the packet itself.
    #[inline(always)]
    pub(crate) fn add_payload_to_checksum(
        self,
        offset: u32,
        difference: u32,
        zero: Zero,
    ) -> Result<(), DropReason> {
        self.add_to_checksum(offset, difference, zero as u64)
    }

    #[inline(always)]
    fn add_to_checksum(self, offset: u32, difference: u32, flags: u64) -> Result<(), DropReason> {
        match unsafe { helpers::bpf_l4_csum_replace(self.0, offset, 0, difference.into(), flags) } {
            0 => Ok(()),
            _ => Err(DropReason::Malformed),
        }
    }

    #[inline(always)]
    fn change_protocol(self, ethertype: u16) -> Result<(), DropReason> {
        match unsafe { helpers::bpf_skb_change_proto(self.0, ethertype, 0) } {
            0 => Ok(()),
            _ => Err(DropReason::AdjustRoomFailed),
        }
    }

    #[inline(always)]
    fn adjust_room(self, octets: i32, flags: u32) -> Result<(), DropReason> {
        match unsafe { helpers::bpf_skb_adjust_room(self.0, octets, BPF_ADJ_ROOM_MAC, flags.into()) } {
            0 => Ok(()),
            _ => Err(DropReason::AdjustRoomFailed),
        }
    }
}
