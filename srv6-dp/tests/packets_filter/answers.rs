//! Stateful return: what answers a packet that was let through passes, and nothing else does for that.

use srv6_types::{Behavior, maps::SidEntry};

use super::{Verdict::Passes, *};

/// The host may open what it likes, and nobody may open anything to it.
const CLIENT: &str = "out 0.0.0.0/0 any any drop no-entry\nout ::/0 any any drop no-entry6";

#[test]
fn answers_pass_where_requests_would_not() {
    let mut pe = filtered(CLIENT);
    for (what, request, answer, rule) in [
        ("TCP", tcp(HOST4, FAR4, (4000, 80), SYN), tcp(FAR4, HOST4, (80, 4000), SYN | ACK), "no-entry"),
        ("UDP", udp(HOST4, FAR4, 4000, 53), udp(FAR4, HOST4, 53, 4000), "no-entry"),
        ("echo", echo(HOST4, FAR4, true, 7), echo(FAR4, HOST4, false, 7), "no-entry"),
        (
            "TCP, IPv6",
            tcp(HOST6, FAR6, (4000, 80), SYN),
            tcp(FAR6, HOST6, (80, 4000), SYN | ACK),
            "no-entry6",
        ),
        ("UDP, IPv6", udp(HOST6, FAR6, 4000, 53), udp(FAR6, HOST6, 53, 4000), "no-entry6"),
        ("echo, IPv6", echo(HOST6, FAR6, true, 7), echo(FAR6, HOST6, false, 7), "no-entry6"),
        (
            "no ports",
            ip(HOST4, FAR4).payload(47, vec![0; 8]),
            ip(FAR4, HOST4).payload(47, vec![0; 8]),
            "no-entry",
        ),
    ] {
        assert_eq!(gets(&mut pe, &answer), denied(rule), "{what}: unasked");
        assert_eq!(sends(&mut pe, &request), Passes, "{what}");
        assert_eq!(gets(&mut pe, &answer), Passes, "{what}: the answer");
        assert_eq!(gets(&mut pe, &answer), Passes, "{what}: and more of it");
    }
    assert_eq!(counted(&mut pe, 199), 14, "answers");
    assert_eq!(counted(&mut pe, 198), 7, "requests, which no rule matched");
}

#[test]
fn an_answer_is_of_that_flow_alone() {
    let mut pe = filtered(CLIENT);
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (4000, 80), SYN)), Passes);
    assert_eq!(sends(&mut pe, &echo(HOST4, FAR4, true, 7)), Passes);
    for (what, packet) in [
        ("another port here", tcp(FAR4, HOST4, (80, 4001), ACK)),
        ("another port there", tcp(FAR4, HOST4, (81, 4000), ACK)),
        ("another protocol", udp(FAR4, HOST4, 80, 4000)),
        ("another far end", tcp("10.2.0.3", HOST4, (80, 4000), ACK)),
        ("another host", tcp(FAR4, "10.1.0.3", (80, 4000), ACK)),
        ("a connection that it opens", tcp(FAR4, HOST4, (80, 4000), SYN)),
        ("another identifier", echo(FAR4, HOST4, false, 8)),
        ("a request of its own", echo(FAR4, HOST4, true, 7)),
        ("the same way round", tcp(HOST4, HOST4, (4000, 80), ACK)),
    ] {
        assert_eq!(gets(&mut pe, &packet), denied("no-entry"), "{what}");
    }
}

#[test]
fn what_a_rule_lets_in_is_answered_where_rules_let_nothing_out() {
    let mut pe = filtered(
        "out 10.2.0.0/16 tcp 80-443 accept web
         out 0.0.0.0/0 any any drop no-entry
         in 0.0.0.0/0 any any drop no-exit",
    );
    let request = tcp(FAR4, HOST4, (4000, 443), SYN);
    let answer = tcp(HOST4, FAR4, (443, 4000), SYN | ACK);
    assert_eq!(sends(&mut pe, &answer), denied("no-exit"));
    assert_eq!(gets(&mut pe, &request), Passes);
    assert_eq!(sends(&mut pe, &answer), Passes);
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (443, 4000), SYN)), denied("no-exit"), "no way out");
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (443, 4001), ACK)), denied("no-exit"));
    assert_eq!(gets(&mut pe, &tcp(FAR4, HOST4, (4000, 444), SYN)), denied("no-entry"));
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (444, 4000), ACK)), denied("no-exit"), "of what was denied");
}

#[test]
fn a_flow_is_remembered_only_where_rules_would_drop_the_answer() {
    let mut pe = filtered("out 10.2.0.0/16 tcp 1-1023 drop privileged");
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (4000, 80), SYN)), Passes);
    assert_eq!(flows(&mut pe, RED), 0, "the answer goes to a port that is open");
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (1000, 80), SYN)), Passes);
    assert_eq!(flows(&mut pe, RED), 1);
    assert_eq!(gets(&mut pe, &tcp(FAR4, HOST4, (80, 1000), SYN | ACK)), Passes);
    assert_eq!(flows(&mut pe, RED), 1, "an answer is not answered for");

    let mut pe = forgetful("out 10.2.0.0/16 tcp 1-1023 drop privileged");
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (4000, 80), SYN)), Passes);
    let needed = sends(&mut pe, &tcp(HOST4, FAR4, (1000, 80), SYN));
    assert_eq!(needed, Verdict::Dropped(DropReason::NoFlowTable));
}

#[test]
fn one_circuits_flow_serves_no_other() {
    let mut pe = filtered(CLIENT);
    for circuit in ["red2", "blue1"] {
        put_on_circuit(&mut pe, 1, circuit);
    }
    let answer = tcp(FAR4, HOST4, (80, 4000), ACK);
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (4000, 80), SYN)), Passes);
    let sid = "fc00:0:1:b46::";
    let Behavior(behavior) = Behavior::END_DT46;
    let entry = SidEntry { behavior: behavior.into(), vrf: BLUE, counter: 9, flags: 0, egress: 0 };
    pe.hash("SIDS", octets6(sid), entry);
    let blue = Verdict::of(&mut pe, |pe| pe.core(&outer(FAR, sid, &answer)));
    assert_eq!(blue, denied("no-entry"), "another tenant's with the same address");
    // The host goes over to red2, and its connections are new ones there.
    let red2 = pe.red2;
    pe.route(RED, "10.1.0.2/32", on(kind::CONNECTED, red2));
    assert_eq!(gets(&mut pe, &answer), denied("no-entry"), "another circuit of the tenant");
}

#[test]
fn a_new_filter_judges_the_flows_of_the_old_one() {
    let mut pe = filtered(CLIENT);
    let (web, answer) = (tcp(HOST4, FAR4, (4000, 80), SYN), tcp(FAR4, HOST4, (80, 4000), ACK));
    let (dns, reply) = (udp(HOST4, FAR4, 4000, 53), udp(FAR4, HOST4, 53, 4000));
    for packet in [&web, &dns] {
        assert_eq!(sends(&mut pe, packet), Passes);
    }
    set_filter(&mut pe, 1, 2, &format!("in 0.0.0.0/0 tcp 80 drop no-web\n{CLIENT}"));
    assert_eq!(gets(&mut pe, &answer), denied("no-entry"), "what opened it would not pass today");
    assert_eq!(gets(&mut pe, &reply), Passes);
    set_filter(&mut pe, 1, 3, CLIENT);
    assert_eq!(gets(&mut pe, &reply), Passes);
}

#[test]
fn a_closed_connection_is_forgotten_sooner() {
    let mut pe = filtered(CLIENT);
    let answer = tcp(FAR4, HOST4, (80, 4000), ACK);
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (4000, 80), SYN)), Passes);
    assert_eq!(gets(&mut pe, &tcp(FAR4, HOST4, (80, 4000), SYN | ACK)), Passes);
    age_flows(&mut pe, RED, 3600);
    assert_eq!(gets(&mut pe, &answer), Passes, "established: an hour is nothing");
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (4000, 80), FIN | ACK)), Passes);
    assert_eq!(gets(&mut pe, &answer), Passes, "what is still on its way");
    age_flows(&mut pe, RED, 31);
    assert_eq!(gets(&mut pe, &answer), denied("no-entry"));
    // The same ports once more.
    assert_eq!(sends(&mut pe, &tcp(HOST4, FAR4, (4000, 80), SYN)), Passes);
    assert_eq!(gets(&mut pe, &tcp(FAR4, HOST4, (80, 4000), SYN | ACK)), Passes);
    age_flows(&mut pe, RED, 3600);
    assert_eq!(gets(&mut pe, &answer), Passes);
}
