//! ICMP errors go the way of the flow that they are about.

use super::{Verdict::Passes, *};

const ROUTER4: &str = "172.16.0.1";
const ROUTER6: &str = "3fff::1";

fn error(from: &str, to: &str, about: &Ip) -> Ip {
    let (kind, code) = if about.source.is_ipv4() { (3, 4) } else { (2, 0) };
    ip(from, to).icmp(kind, code, 1400, &about.bytes())
}

#[test]
fn about_an_answered_flow() {
    let mut pe = filtered("out 0.0.0.0/0 any any drop no-entry\nout ::/0 any any drop no-entry6");
    for (host, far, router, rule) in [(HOST4, FAR4, ROUTER4, "no-entry"), (HOST6, FAR6, ROUTER6, "no-entry6")]
    {
        let request = udp(host, far, 4000, 53);
        assert_eq!(gets(&mut pe, &error(router, host, &request)), denied(rule), "about what was never sent");
        assert_eq!(sends(&mut pe, &request), Passes);
        assert_eq!(gets(&mut pe, &error(router, host, &request)), Passes);
        let other = udp(host, far, 4001, 53);
        assert_eq!(gets(&mut pe, &error(router, host, &other)), denied(rule), "about another");
        let ping = echo(host, far, true, 7);
        assert_eq!(sends(&mut pe, &ping), Passes);
        assert_eq!(gets(&mut pe, &error(router, host, &ping)), Passes, "about a ping");
        // What comes back in answer may meet an error, too.
        assert_eq!(sends(&mut pe, &error(host, far, &udp(far, host, 53, 4000))), Passes);
    }
}

/// Or path MTU discovery of a server would end at its filter.
#[test]
fn about_a_flow_that_rules_let_through_both_ways() {
    let mut pe = filtered(
        "out 10.2.0.0/16 tcp 80 accept web
         out 0.0.0.0/0 any any drop no-entry",
    );
    assert_eq!(gets(&mut pe, &tcp(FAR4, HOST4, (4000, 80), SYN)), Passes);
    let page = tcp(HOST4, FAR4, (80, 4000), ACK);
    assert_eq!(sends(&mut pe, &page), Passes);
    assert_eq!(gets(&mut pe, &error(ROUTER4, HOST4, &page)), Passes);
    let other = tcp(HOST4, FAR4, (81, 4000), ACK);
    assert_eq!(gets(&mut pe, &error(ROUTER4, HOST4, &other)), denied("no-entry"));
}

#[test]
fn any_other_is_judged_by_the_rules_for_icmp_and_by_who_sent_it() {
    let mut pe = filtered(
        "out 10.2.0.0/16 icmp any drop no-icmp-from-there
         out 172.16.0.0/12 icmp any accept routers
         out 0.0.0.0/0 any any drop no-entry",
    );
    let about = udp(HOST4, FAR4, 4000, 53);
    assert_eq!(gets(&mut pe, &error(ROUTER4, HOST4, &about)), Passes);
    assert_eq!(gets(&mut pe, &error(FAR4, HOST4, &about)), denied("no-icmp-from-there"));
}
