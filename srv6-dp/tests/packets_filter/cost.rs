//! A packet's time through a filter, by the number of rules. `cargo test --release ... -- --ignored --nocapture`.

use aya::{
    TestRun as _,
    programs::{SchedClassifier, TestRunOptions},
};
use srv6_dp::model::{Action, Direction, Filter, Rule};

use super::*;

const REPEAT: u32 = 200_000;

fn rule(prefix: String, ports: Option<(u16, u16)>) -> Rule {
    Rule {
        name: "cost".to_owned(),
        direction: Direction::In,
        prefix: prefix.parse().unwrap(),
        protocol: ports.map(|_| UDP),
        ports,
        action: Action::Drop,
    }
}

/// All but the last match nothing that is sent.
fn by_prefix(count: u32) -> Filter {
    let far = |site: u32| format!("172.{}.{}.0/26", 16 + (site >> 10), site >> 2 & 255);
    let mut rules: Vec<_> = (1..count).map(|site| rule(far(site * 4), None)).collect();
    rules.push(rule("10.2.0.0/16".to_owned(), None));
    Filter { rules }
}

fn by_port(count: u32) -> Filter {
    let mut rules: Vec<_> =
        (1..count as u16).map(|port| rule("10.2.0.0/16".to_owned(), Some((5 * port, 5 * port)))).collect();
    rules.push(rule("10.2.0.0/16".to_owned(), Some((60_001, 60_001))));
    Filter { rules }
}

/// Of a packet that is dropped: nothing is changed, so that it can be sent again and again.
fn nanoseconds(pe: &mut Pe, packet: &Ip) -> u32 {
    let ifindex = pe.red1;
    let mut context = [0_u8; 192];
    context[40..44].copy_from_slice(&ifindex.to_ne_bytes());
    let frame = frame(RED1_MAC, HOST, 0x0800, &packet.bytes());
    let program: &SchedClassifier = pe.object().program("circuit_ingress").unwrap().try_into().unwrap();
    let once = |_| {
        let options = TestRunOptions {
            data_in: Some(&frame),
            ctx_in: Some(&context),
            repeat: REPEAT,
            ..TestRunOptions::default()
        };
        program.test_run(options).unwrap().duration.as_nanos() as u32
    };
    (0..7).map(once).min().unwrap()
}

#[test]
#[ignore = "takes time, and a quiet machine"]
fn does_not_grow_with_the_number_of_rules() {
    let packet = udp(HOST4, FAR4, 4000, 60_001);
    let mut pe = pe();
    pe.route(RED, "10.2.0.0/16", on(kind::BLACKHOLE, 0));
    println!("dropped by a route, no filter: {} ns", nanoseconds(&mut pe, &packet));
    for (what, build) in [("prefix", by_prefix as fn(u32) -> Filter), ("port", by_port)] {
        for count in [1, 100, 1000, 10_000] {
            let mut pe = self::pe();
            let filter = build(count);
            write_set(&mut pe, 1, &filter, &vec![0; filter.rules.len()]);
            swing(&mut pe, 1, 1, &filter);
            put_on_circuit(&mut pe, 1, "red1");
            assert_eq!(sends(&mut pe, &packet), denied("cost"));
            println!("{count} {what} rules: {} ns", nanoseconds(&mut pe, &packet));
        }
    }
}
