//! The underlay's routes that this agent puts into the kernel's main table: static ones and best BGP unicast routes.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    net::IpAddr,
};

use ipnet::{IpNet, Ipv6Net};

use crate::kernel::{Kernel, KernelError, KernelRoute, Origin};

/// What is wanted, and the means to make the kernel agree.
pub(crate) struct Underlay {
    kernel: Kernel,
    wanted: BTreeMap<(IpNet, Origin), Hop>,
    /// BGP routes found at start that BGP has not told of again yet: kept until [`Underlay::sweep`].
    unconfirmed: Vec<KernelRoute>,
    /// The SRv6 domain, and the interfaces that lead to it.
    domain: BTreeSet<Ipv6Net>,
    core: Vec<String>,
}

/// A next hop as it was told; the neighbour is looked up when the route is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    /// Next hop.
    pub(crate) via: IpAddr,
    /// Interface, where it was named.
    pub(crate) ifindex: Option<u32>,
    /// Address that the neighbour or the link is looked up by: the next hop, or for a link-local one the peer that told it.
    pub(crate) found_by: IpAddr,
}

impl Hop {
    /// A next hop of a static route.
    pub(crate) const fn on(via: IpAddr, ifindex: Option<u32>) -> Self {
        Self { via, ifindex, found_by: via }
    }

    /// The next hop of a BGP route.
    pub(crate) fn told_by(peer: IpAddr, via: IpAddr) -> Self {
        let found_by = if is_link_local(via) { peer } else { via };
        Self { via, ifindex: None, found_by }
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

impl Underlay {
    /// Takes note of the routes that an earlier life of this agent has left.
    pub(crate) async fn adopt(kernel: Kernel) -> Result<Self, KernelError> {
        let unconfirmed =
            kernel.own_routes().await?.into_iter().filter(|route| route.origin == Origin::Bgp).collect();
        let (domain, core) = (BTreeSet::new(), Vec::new());
        Ok(Self { kernel, wanted: BTreeMap::new(), unconfirmed, domain, core })
    }

    /// Replaces the set of static routes.
    pub(crate) fn set_static(&mut self, routes: impl IntoIterator<Item = (IpNet, Hop)>) {
        self.wanted.retain(|(_, origin), _| *origin != Origin::Static);
        self.wanted.extend(routes.into_iter().map(|(prefix, hop)| ((prefix, Origin::Static), hop)));
    }

    /// No BGP route is wanted; [`Underlay::reconcile`] removes them.
    pub(crate) fn forget_bgp(&mut self) {
        self.wanted.retain(|(_, origin), _| *origin != Origin::Bgp);
    }

    /// A BGP route that [`Underlay::reconcile`] is to install.
    pub(crate) fn want_bgp(&mut self, prefix: IpNet, hop: Hop) {
        self.wanted.insert((prefix, Origin::Bgp), hop);
    }

    /// The SRv6 domain that others than `core` shall not reach through this node.
    pub(crate) fn set_domain(&mut self, domain: BTreeSet<Ipv6Net>, core: Vec<String>) {
        (self.domain, self.core) = (domain, core);
    }

    /// One BGP route; `None` withdraws it. Returns the problem where the kernel refuses.
    pub(crate) async fn set_bgp(&mut self, prefix: IpNet, hop: Option<Hop>) -> Result<(), KernelError> {
        self.unconfirmed.retain(|route| route.prefix != prefix);
        let key = (prefix, Origin::Bgp);
        match hop {
            Some(hop) => {
                self.wanted.insert(key, hop);
                self.install(key, hop).await
            }
            None => match self.wanted.remove(&key) {
                Some(hop) => self.kernel.remove_route(&route(key, hop, None)).await,
                None => Ok(()),
            },
        }
    }

    /// BGP has told everything that it knows: what was left from before and not confirmed goes.
    pub(crate) async fn sweep(&mut self) -> Vec<KernelError> {
        let mut problems = Vec::new();
        for route in std::mem::take(&mut self.unconfirmed) {
            problems.extend(self.kernel.remove_route(&route).await.err());
        }
        problems
    }

    /// Makes the kernel hold what is wanted, reading back what it holds: after a start, a reload, and a change of
    /// interfaces, addresses or routes (the kernel drops the routes of an interface that goes down, and takes none before
    /// their next hop is on a link).
    pub(crate) async fn reconcile(&mut self) -> Vec<KernelError> {
        let present: BTreeSet<KernelRoute> = match self.kernel.own_routes().await {
            Ok(present) => present.into_iter().collect(),
            Err(error) => return vec![error],
        };
        let mut problems = Vec::from_iter(self.kernel.fence(&self.domain, &self.core).await.err());
        for route in &present {
            let key = (route.prefix, route.origin);
            if !self.wanted.contains_key(&key) && !self.unconfirmed.contains(route) {
                problems.extend(self.kernel.remove_route(route).await.err());
            }
        }
        // Many routes share few next hops.
        let mut neighbors = BTreeMap::new();
        for (key, hop) in &self.wanted {
            let neighbor = match neighbors.entry(hop.found_by) {
                Entry::Occupied(known) => *known.get(),
                Entry::Vacant(unknown) => match self.kernel.resolve(hop.found_by).await {
                    Ok(neighbor) => *unknown.insert(neighbor),
                    Err(error) => return vec![error],
                },
            };
            let route = route(*key, *hop, neighbor);
            if leads_nowhere(key.1, neighbor) {
                if present.iter().any(|present| (present.prefix, present.origin) == *key) {
                    problems.extend(self.kernel.remove_route(&route).await.err());
                }
            } else if !present.contains(&route) {
                problems.extend(self.kernel.set_route(&route).await.err());
            }
        }
        problems
    }

    async fn install(&self, key: (IpNet, Origin), hop: Hop) -> Result<(), KernelError> {
        let neighbor = self.kernel.resolve(hop.found_by).await?;
        let route = route(key, hop, neighbor);
        match leads_nowhere(key.1, neighbor) {
            true => self.kernel.remove_route(&route).await,
            false => self.kernel.set_route(&route).await,
        }
    }

    /// The router behind which an address is; `None` where it is on a link, and where there is no way to it.
    pub(crate) async fn gateway_to(&self, address: IpAddr) -> Option<IpAddr> {
        let (neighbor, _) = self.kernel.resolve(address).await.ok()??;
        (neighbor != address).then_some(neighbor)
    }
}

/// A BGP route whose next hop cannot be resolved now is not used (RFC 4271 section 9.1.2.1), neither with the way that led
/// there before; the next change of the kernel's routes looks again. A static route is the operator's: the kernel says why not.
fn leads_nowhere(origin: Origin, neighbor: Option<(IpAddr, u32)>) -> bool {
    origin == Origin::Bgp && neighbor.is_none()
}

/// `neighbor` leads to the next hop now; where the interface was named, or there is no way, the next hop stands as told.
fn route((prefix, origin): (IpNet, Origin), hop: Hop, neighbor: Option<(IpAddr, u32)>) -> KernelRoute {
    match (hop.ifindex, neighbor) {
        (None, Some((via, ifindex))) => {
            let via = if is_link_local(hop.via) { hop.via } else { via };
            KernelRoute { prefix, via, ifindex: Some(ifindex), origin }
        }
        _ => KernelRoute { prefix, via: hop.via, ifindex: hop.ifindex, origin },
    }
}
