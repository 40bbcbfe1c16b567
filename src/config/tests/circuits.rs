//! Attachment circuits.

use super::mistake_in_vrf;

#[test]
fn hosts_of_a_circuit() {
    for (keys, problem) in [
        (
            "hosts: [10.0.0.0/24]",
            "7:51: vrfs[0].attachmentCircuits[0].hosts[0]: \"10.0.0.0/24\" is not an IP address; \
             write one such as 192.0.2.1 or 2001:db8::1",
        ),
        (
            "hosts: [10.0.0.1, 10.0.0.1]",
            "7:61: vrfs[0].attachmentCircuits[0].hosts[1]: is in the list already; leave one out",
        ),
        (
            "hosts: [224.0.0.1]",
            "7:51: vrfs[0].attachmentCircuits[0].hosts[0]: 224.0.0.1 cannot be a host's address; \
             write a unicast address that the tenant routes, such as 10.100.0.1",
        ),
        (
            "hostMac: 01:00:5e:00:00:01",
            "7:52: vrfs[0].attachmentCircuits[0].hostMac: \"01:00:5e:00:00:01\" is not a station's MAC address; \
             write six octets (02:00:5e:10:00:01)",
        ),
        (
            "hostMac: 02:00:5e:10:00:+1",
            "7:52: vrfs[0].attachmentCircuits[0].hostMac: \"02:00:5e:10:00:+1\" is not a station's MAC address; \
             write six octets (02:00:5e:10:00:01)",
        ),
        (
            "proxy: arp",
            "7:50: vrfs[0].attachmentCircuits[0].proxy: \"arp\" is not a boolean; write true or false",
        ),
        (
            "probes: yes",
            "7:51: vrfs[0].attachmentCircuits[0].probes: \"yes\" is not a boolean; write true or false",
        ),
    ] {
        assert_eq!(mistake_in_vrf(&format!("attachmentCircuits: [{{ interface: eth1, {keys} }}]")), problem);
    }
}
