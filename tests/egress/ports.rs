//! Ports that run out.

use crate::{
    hosts::ask,
    net::{Net, outside},
};

#[test]
fn a_host_that_takes_too_many_ports_is_refused_and_nobody_else_is() {
    let net = Net::up("ports");
    net.set_gateway("red", "localPreference: 200", "localPreference: 200, ports: 20000-20015, portBlock: 8");
    let [to, _] = outside();
    let pod = net.node("red-pod");
    let answers: Vec<_> = (0..8).map(|n| ask(&pod, 30_000 + n, to).unwrap().sees.port()).collect();
    let mut ports = answers.clone();
    ports.sort_unstable();
    // 10.0.1.2 has the even one of two blocks.
    assert_eq!(ports, (20_000..20_008).collect::<Vec<_>>());
    assert_eq!(net.pe("pe2").dropped("red", "ports-exhausted"), 0);
    ask(&pod, 30_008, to).unwrap_err();
    assert_eq!(net.pe("pe2").dropped("red", "ports-exhausted"), 1);

    for (n, port) in (0..).zip(answers) {
        assert_eq!(ask(&pod, 30_000 + n, to).unwrap().sees.port(), port, "who has a port keeps it");
    }
    net.connect("red-pod", 0, to).echoes().unwrap();
    for port in 30_000..30_020 {
        net.ask("blue-pod", port, to);
    }
    assert_eq!(net.pe("pe2").dropped("blue", "ports-exhausted"), 0);
}
