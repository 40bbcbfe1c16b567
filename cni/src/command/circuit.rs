//! A pod's interface that another plugin has made, as a circuit.

use std::{collections::BTreeSet, net::IpAddr};

use cni::protocol::{Attachment, AttachmentId};

use crate::{
    link::{LinkError, Links, Netns, Veth},
    spec::{Call, Config, Failure, Outcome},
};

/// The interface with both its ends.
pub(super) struct Circuit {
    pub(super) veth: Veth,
    pub(super) node: Links,
    pub(super) container: Links,
    netns: std::path::PathBuf,
}

impl Circuit {
    /// Finds it by the kernel alone: what the plugin in front says of the node's end is not needed.
    pub(super) fn find(call: &Call<'_>, id: &AttachmentId) -> Result<Self, Failure> {
        let netns = call.netns()?;
        let container = Links::of_container(&Netns::open(&netns)?)?;
        let node = Links::of_node()?;
        let veth = Veth::find(&node, &container, &id.interface)?;
        Ok(Self { veth, node, container, netns })
    }

    /// As the agent is told of it.
    pub(super) fn attachment(
        &self,
        call: &Call<'_>,
        config: &Config,
        id: AttachmentId,
        made: &Outcome,
    ) -> Result<Attachment, Failure> {
        Ok(Attachment {
            network: config.network.clone(),
            pod: call.pod()?,
            host_interface: self.veth.node.name.clone(),
            addresses: made.ips_of(&id.interface).map(|ip| ip.address.addr()).collect(),
            mac: Some(self.veth.container.mac),
            gateways: self.gateways(&id, made)?,
            netns: self.netns.clone(),
            reserved: false,
            proxy: self.veth.node.master.is_some(),
            id,
        })
    }

    /// Those of the result, and those of the container's routes: Calico's are in none. Link-local ones of IPv6 are the kernel's,
    /// which answers for them by itself.
    fn gateways(&self, id: &AttachmentId, made: &Outcome) -> Result<Vec<IpAddr>, LinkError> {
        let told = made.ips_of(&id.interface).filter_map(|ip| ip.gateway);
        let routes = self.container.routes(&self.veth.container)?;
        let all = told.chain(routes.iter().filter_map(|hop| hop.via)).filter(|it| !is_link_local_v6(*it));
        Ok(all.collect::<BTreeSet<_>>().into_iter().collect())
    }
}

const fn is_link_local_v6(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}
