//! The decision process, RFC 4271 section 9.1.2.2 and RFC 4456 section 9.

/// Where a path lost, in the order of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The next hop cannot be reached.
    NextHop,
    /// Another path is originated by this node.
    Local,
    /// LOCAL_PREF, the higher wins.
    LocalPref,
    /// AS_PATH length, a set counting one.
    AsPathLength,
    /// ORIGIN, the lower wins.
    Origin,
    /// MULTI_EXIT_DISC among paths of one neighbouring AS, the lower wins.
    Med,
    /// External over internal.
    External,
    /// Cost to the next hop.
    IgpCost,
    /// ORIGINATOR_ID, or the peer's BGP identifier, the lower wins.
    RouterId,
    /// CLUSTER_LIST length, the shorter wins.
    ClusterList,
    /// Peer address, the lower wins.
    PeerAddress,
    /// Path identifier, the lower wins.
    PathId,
}
