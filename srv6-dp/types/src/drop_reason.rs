use core::fmt;

macro_rules! drop_reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $word:literal;)+) => {
        /// Why a packet is gone. One name from the program to the counter, the event, the CLI and the docs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum DropReason { $($(#[doc = $doc])+ $name = $code,)+ }

        impl DropReason {
            /// Every reason, in the order of the codes.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word that the CLI and the metrics use.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// What it means, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }

            /// The reason of a code read back from a map.
            pub const fn from_code(code: u32) -> Option<Self> {
                match code { $($code => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

drop_reasons! {
    /// A header does not fit in what is there of the packet, or its lengths contradict each other.
    Malformed = 0, "malformed";
    /// The VRF has no route to the destination.
    NoRouteInVrf = 1, "no-route-in-vrf";
    /// A route says that this destination is to be refused.
    RouteUnreachable = 2, "route-unreachable";
    /// TTL or hop limit ran out.
    TtlExpired = 3, "ttl-expired";
    /// Larger than the way lets through, and not to be fragmented by us.
    TooBig = 4, "too-big";
    /// From an attachment circuit towards the SRv6 domain, RFC 8754 section 5.1.
    SidFromTenant = 5, "sid-from-tenant";
    /// In our locator, but no SID of ours.
    NoSuchSid = 6, "no-such-sid";
    /// The SID's behaviour does not take this upper layer, RFC 8986 section 4.1.1.
    UpperLayerUnexpected = 7, "upper-layer-unexpected";
    /// Segments are left for a SID that ends the path, or the SRH contradicts itself, RFC 8754 section 4.3.
    BadSegmentRoutingHeader = 8, "bad-srh";
    /// The kernel would not make room for or strip the outer header.
    AdjustRoomFailed = 9, "adjust-room-failed";
    /// No route of the underlay leads to the outer destination.
    NoUnderlayRoute = 10, "no-underlay-route";
    /// The neighbour on the circuit or the underlay does not answer.
    NoNeighbor = 11, "no-neighbor";
    /// The FIB names a next hop that is not there: a bug, or a table torn by hand.
    NoSuchNextHop = 12, "no-such-next-hop";
    /// Not IPv4, IPv6 or ARP, so no tenant traffic.
    NotIp = 13, "not-ip";
    /// Source address that no host may have (loopback, multicast, ::), RFC 1812 section 5.3.7.
    BadSource = 14, "bad-source";
    /// Multicast or broadcast, which the VRFs do not route.
    MulticastUnsupported = 15, "multicast-unsupported";
    /// Leaked from VRF to VRF more often than the program follows.
    LeakLoop = 16, "leak-loop";
    /// The interface that a route leads out of is not (or no longer) a circuit of the VRF.
    NoSuchCircuit = 17, "no-such-circuit";
    /// An address of this PE in the VRF that takes only echo requests: nothing listens there.
    NotListening = 18, "not-listening";
    /// The kernel does not forward IPv6: `net.ipv6.conf.all.forwarding` is 0.
    UnderlayForwardingOff = 19, "underlay-forwarding-off";
    /// The outer header says congestion was experienced, the inner transport does not do ECN, RFC 6040 section 4.2.
    CongestionNotEct = 20, "congestion-not-ect";
    /// A route says that this destination is to be dropped in silence.
    Blackhole = 21, "blackhole";
    /// For the link only (link-local, broadcast, 224.0.0.0/24) or for the host itself (loopback): of such, a tenant's
    /// node takes neighbour discovery.
    LinkScope = 22, "link-scope";
    /// For a VIP of this node, on a port that no service has.
    NoSuchService = 23, "no-such-service";
    /// The service has no backend that could take the packet.
    NoBackend = 24, "no-backend";
    /// For an egress address of this node, and no mapping leads on to a host.
    NoMapping = 25, "no-mapping";
    /// Every port that this host may have at its egress address is in use.
    PortsExhausted = 26, "ports-exhausted";
    /// No gateway of the egress policy can be reached now.
    NoEgressGateway = 27, "no-egress-gateway";
    /// A protocol, or a message of it, that cannot be translated.
    Untranslatable = 28, "untranslatable";
    /// A later fragment of a packet to be translated or filtered came before the first, which has the ports.
    FragmentBeforeFirst = 29, "fragment-before-first";
    /// The VRF has no room for another flow, or no flow table at all: a bug, or a table torn by hand.
    NoFlowTable = 30, "no-flow-table";
    /// A rule of a filter denies it.
    Filtered = 31, "filtered";
}

impl DropReason {
    /// Number of reasons: codes run from 0 to `COUNT - 1`.
    pub const COUNT: u32 = Self::ALL.len() as u32;
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
