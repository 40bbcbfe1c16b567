use vrf_manager::intent::{Intent, Router};

use super::{
    bgp,
    kind::{ASN, IPV4},
    list::list,
    reader::{At, Read, Reader},
    route, srv6,
    tree::Node,
    vrf,
};

/// The whole file.
pub(super) fn read(reader: &Reader, tree: &Node) -> Option<Intent> {
    let file =
        At::new(reader, tree, String::new()).fields(&["router", "srv6", "bgp", "vrfs", "underlayRoutes"])?;
    let router = file.required("router", "router: { asn: 65000, routerId: 192.0.2.1 }", router);
    let srv6 = file.or("srv6", srv6::unconfigured(), srv6::read);
    let bgp = file.or("bgp", bgp::unconfigured(), bgp::read);
    let vrfs = file.or("vrfs", Vec::new(), list(vrf::read));
    let underlay_routes = file.or("underlayRoutes", Vec::new(), list(route::underlay_route));
    Some(Intent { router: router?, srv6: srv6?, bgp: bgp?, vrfs: vrfs?, underlay_routes: underlay_routes? })
}

fn router(at: &At<'_>) -> Option<Router> {
    let router = at.fields(&["asn", "routerId"])?;
    let asn = router.required("asn", "asn: 65000", ASN);
    let router_id = router.required("routerId", "routerId: 192.0.2.1", |at: &At<'_>| {
        let id = IPV4.read(at)?;
        if id.is_unspecified() {
            return at.refuse("0.0.0.0 is no BGP identifier; write an IPv4 address of this node");
        }
        Some(id)
    });
    Some(Router { asn: asn?, router_id: router_id? })
}
