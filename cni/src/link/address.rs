use std::net::IpAddr;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use netlink_packet_route::address::{AddressAttribute, AddressFlags};

use super::{Interface, LinkError, Links};

impl Links {
    /// Without detection of duplicates: the agent gives each address once, and an address that waits would be no source.
    pub(crate) fn add_address(&self, interface: &Interface, address: IpNet) -> Result<(), LinkError> {
        let addresses = self.handle.address();
        let mut request = addresses.add(interface.index, address.addr(), address.prefix_len());
        if address.addr().is_ipv6() {
            request.message_mut().attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
        }
        let what = format!("give {} the address {address}", interface.name);
        self.runtime.block_on(request.execute()).map_err(LinkError::refused(what))
    }

    /// The addresses that an interface has.
    pub(crate) fn addresses(&self, interface: &Interface) -> Result<Vec<IpAddr>, LinkError> {
        let request = self.handle.address().get().set_link_index_filter(interface.index).execute();
        let messages = self.runtime.block_on(request.try_collect::<Vec<_>>());
        let messages =
            messages.map_err(LinkError::refused(format!("list the addresses of {}", interface.name)))?;
        let of_it = messages.into_iter().filter(|message| message.header.index == interface.index);
        let address = |attribute| if let AddressAttribute::Address(it) = attribute { Some(it) } else { None };
        Ok(of_it.flat_map(|message| message.attributes.into_iter().filter_map(address)).collect())
    }
}
