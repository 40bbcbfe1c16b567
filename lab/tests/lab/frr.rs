//! FRR 8.4 and FRR 10.3 run as nodes and talk to each other. Fetches FRR 10.3 on first use.
use std::path::Path;
use std::time::Duration;

use lab::{Lab, Signal, wait_until};

#[test]
fn frr_8_4_and_10_3_exchange_routes_and_survive_a_restart() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/topologies/frr.clab.yml");
    let lab = Lab::up(file).unwrap();
    let (old, new) = (lab.node("old"), lab.node("new"));
    assert!(old.check(["vtysh", "-c", "show version"]).contains("FRRouting 8.4"));
    assert!(new.check(["vtysh", "-c", "show version"]).contains("FRRouting 10.3"));
    let old_has_route = || old.check(["ip", "-6", "route"]).contains("fd00:0:bb::/48");
    let limit = Duration::from_secs(30);
    assert!(wait_until(limit, old_has_route), "{}", old.check(["vtysh", "-c", "show bgp ipv6 unicast"]));
    assert!(wait_until(limit, || new.check(["ip", "-6", "route"]).contains("fd00:0:aa::/48")));

    new.kill_main(Signal::SIGKILL).unwrap();
    assert!(wait_until(limit, || !old_has_route()), "the route outlived its speaker");
    new.start_main().unwrap();
    assert!(wait_until(limit, old_has_route), "{}", new.logs());
}
