use super::*;
use crate::{
    api::{PodNetwork, PodRange},
    render::block,
};

/// Ranges with the length of a block.
type Ranges = &'static [(&'static str, Option<u8>)];

fn ranges(of: Ranges) -> Cluster {
    let range =
        |(cidr, len): &(&str, Option<u8>)| PodRange { cidr: cidr.to_string(), node_prefix_length: *len };
    let ranges = of.iter().map(range).collect();
    Cluster::new().vrf("red", |vrf| vrf.pod_network = Some(PodNetwork { ranges }))
}

fn numbered(mut cluster: Cluster, number: u32) -> Cluster {
    cluster.world.locator_pools.get_mut("main").unwrap().spec.allocations[0].index = number;
    cluster
}

fn blocks(cluster: &Cluster) -> Result<Vec<String>, (String, Reason)> {
    match block(&cluster.world, "n1", "red") {
        Ok(blocks) => Ok(blocks.iter().map(ToString::to_string).collect()),
        Err(problem) => Err((problem.object.to_string(), problem.reason)),
    }
}

#[test]
fn a_nodes_block_has_its_locators_number() {
    let cases: [(Ranges, u32, &[&str]); 6] = [
        (&[("10.128.0.0/14", None), ("fd00:1::/48", None)], 1, &["10.128.1.0/24", "fd00:1:0:1::/64"]),
        (&[("10.128.0.0/14", None)], 0, &["10.128.0.0/24"]),
        (&[("10.128.0.0/14", None)], 1023, &["10.131.255.0/24"]),
        (&[("10.128.0.0/24", Some(28))], 15, &["10.128.0.240/28"]),
        (&[("10.128.0.0/28", None)], 0, &["10.128.0.0/28"]),
        (&[("::/0", Some(126))], u32::MAX, &["::3:ffff:fffc/126"]),
    ];
    for (of, number, expected) in cases {
        let expected = expected.iter().map(ToString::to_string).collect();
        assert_eq!(blocks(&numbered(ranges(of), number)), Ok(expected), "{of:?}, {number}");
    }
    assert_eq!(blocks(&Cluster::new().vrf("red", |_| ())), Ok(vec![]), "no pod network, no block");
}

#[test]
fn a_range_without_a_block_for_the_node_says_so() {
    let cases: [(Ranges, u32, Reason); 7] = [
        (&[("10.128.0.0/24", None)], 1, Reason::LimitExceeded),
        (&[("10.128.0.0/14", None)], 1024, Reason::LimitExceeded),
        (&[("10.128.0.1/14", None)], 1, Reason::Invalid),
        (&[("nonsense", None)], 1, Reason::Invalid),
        (&[("10.128.0.0/31", None)], 0, Reason::Invalid),
        (&[("10.128.0.0/14", Some(13))], 0, Reason::Invalid),
        (&[("10.128.0.0/14", None), ("10.132.0.0/14", None)], 1, Reason::Invalid),
    ];
    for (of, number, reason) in cases {
        let cluster = numbered(ranges(of), number);
        assert_eq!(blocks(&cluster), Err(("Vrf red".into(), reason)), "{of:?}, {number}");
        let (intent, problems) = rendered(&cluster);
        assert_eq!(intent.vrfs.len(), 1, "the VRF goes on without");
        assert_eq!(problems, [("Vrf red".into(), reason)]);
    }
}

#[test]
fn a_node_without_a_locator_has_no_block_yet() {
    let mut cluster = ranges(&[("10.128.0.0/14", None)]);
    cluster.world.locator_pools.get_mut("main").unwrap().spec.allocations.clear();
    assert_eq!(blocks(&cluster), Err(("Node n1".into(), Reason::Pending)));
}
