//! One address behind two PEs, one of which is taken out of service (RFC 8326).

use std::time::Duration;

use bgp_core::rib::LocalRoute;
use bgp_wire::{
    Family,
    attribute::{Community, ExtendedCommunity},
};
use bgpd::{Event, RouteChange};
use srv6_types::Sid;

use super::{OF_THREE, OF_TWO, PATIENCE, Pe, RED, Reflector, prefix, sid};

const VIP: &str = "10.100.0.1/32";
const MARK: Community = Community(65000 << 16 | 7);

pub(super) async fn a_pe_that_leaves_is_relieved_in_one_step(reflector: &Reflector, two: &Pe, three: &Pe) {
    let mut client = Pe::start(4, false);
    three.announce(&[VIP]).await;
    client.until_holds(&[OF_TWO[0], OF_THREE[0], VIP, OF_TWO[1], OF_THREE[1]]).await;
    let preferred =
        LocalRoute { local_pref: Some(200), communities: vec![MARK], color: Some(100), ..two.route(VIP) };
    two.handle.announce(vec![preferred.clone()]).await.unwrap();
    assert_eq!(hands(&mut client, sid(2)).await, [Some(sid(2))]);
    reflector_says(reflector, &["localpref 200", "Community: 65000:7\n"]).await;
    // FRR 8.4 has no word for it, and reflects it.
    let reflected = client.handle.routes(Family::Vpnv4, Some(prefix(VIP))).await.unwrap();
    let color = ExtendedCommunity::of_color(100);
    assert!(reflected.iter().any(|path| path.best && path.attributes.extended_communities.contains(&color)));

    let mut leaving = preferred;
    leaving.shut_down_gracefully();
    two.handle.announce(vec![leaving]).await.unwrap();
    assert_eq!(hands(&mut client, sid(3)).await, [Some(sid(3))], "never without a route");
    reflector_says(reflector, &["localpref 0", "Community: 65000:7 graceful-shutdown\n"]).await;

    for pe in [two, three] {
        pe.handle.withdraw(vec![(RED, prefix(VIP))]).await.unwrap();
    }
    client.until_holds(&[OF_TWO[0], OF_THREE[0], OF_TWO[1], OF_THREE[1]]).await;
    client.handle.shutdown(false).await.unwrap();
}

/// The SIDs that the VIP led to until it led to `wanted`.
async fn hands(client: &mut Pe, wanted: Sid) -> Vec<Option<Sid>> {
    let mut hands = Vec::new();
    while hands.last() != Some(&Some(wanted)) {
        let event = tokio::time::timeout(PATIENCE, client.events.recv()).await;
        let event = event.unwrap_or_else(|_| panic!("the VIP went by {hands:?}, not to {wanted}")).unwrap();
        client.learn(&event);
        let Event::Routes(changes) = event else { continue };
        for change in changes {
            if let RouteChange::Vrf(route) = change
                && route.prefix == prefix(VIP)
            {
                hands.push(route.path.and_then(|path| path.sid));
            }
        }
    }
    hands
}

async fn reflector_says(reflector: &Reflector, words: &[&str]) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let said = reflector.vtysh(&format!("show bgp ipv4 vpn {VIP}")).replace("\r\n", "\n");
        if words.iter().all(|word| said.contains(word)) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "not {words:?}:\n{said}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
