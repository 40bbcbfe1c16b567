use etherparse::PacketBuilder;

use super::*;

/// VPNv4 with End.DT46 as FRR 10.3 sends it.
const UPDATE: &str = "ffffffffffffffffffffffffffffffff008f0200000078900e002c0001801800000000000000002001\
    0db800120000000000000000000100700001030000fde9000000010a0101400101005002000602010000fde98004040000\
    0000c010080002fde800000001c028250500220001001e00fc000000000100000000000000000000000014000100062010\
    10001030";

fn decode(input: &[&str], json: bool) -> Decode {
    let input = input.iter().map(ToString::to_string).collect();
    Decode { json, asn2: false, addpath: vec![], input }
}

fn shown(decode: &Decode) -> (bool, String) {
    let mut out = Vec::new();
    let well_formed = decode.decode(&mut out).unwrap();
    (well_formed, String::from_utf8(out).unwrap())
}

#[test]
fn an_update_is_readable() {
    let expected = "\
UPDATE
  announces vpnv4 next hop 2001:db8:12::1
    10.1.1.0/24  rd 65001:1  label 16  sid fc00:0:1:1::
  origin                igp
  as path               65001
  med                   0
  route targets         65000:1
  srv6 l3 service       fc00:0:1:: as sent  End.DT46 (0x0014)  structure 32/16/16/0  16 bits from bit 48 in the label
";
    assert_eq!(shown(&decode(&[UPDATE], false)), (true, expected.to_owned()));
}

#[test]
fn json_field_names_are_stable() {
    let expected = serde_json::json!({
        "type": "update",
        "announced": [{
            "family": "vpnv4",
            "next_hop": "2001:db8:12::1",
            "routes": [{ "prefix": "10.1.1.0/24", "rd": "65001:1", "label": 16, "sid": "fc00:0:1:1::" }],
        }],
        "attributes": {
            "origin": "igp", "as_path": "65001", "med": 0, "route_targets": ["65000:1"],
            "srv6_services": [{
                "service": "l3", "sid": "fc00:0:1::", "behavior": "End.DT46", "behavior_code": 20, "flags": 0,
                "structure": {
                    "block": 32, "node": 16, "function": 16, "argument": 0,
                    "transposition_length": 16, "transposition_offset": 48,
                },
            }],
        },
    });
    let (_, line) = shown(&decode(&[UPDATE], true));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), expected);
}

#[test]
fn each_line_gets_its_line_and_malformed_ones_their_verdict() {
    let bad_origin = UPDATE.replace("40010100", "40010109");
    let input = format!("{UPDATE}\n\n{bad_origin}\nnonsense\n{}\n", &UPDATE[..60]);
    let mut out = Vec::new();
    let well_formed = decode(&["-"], true).lines(input.as_bytes(), &mut out).unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<_> = lines.iter().map(|line| line["error"]["verdict"].as_str()).collect();
    assert!(!well_formed);
    assert_eq!(verdicts, [None, Some("treat-as-withdraw"), None, Some("session-reset")]);
    assert_eq!(lines[1]["announced"][0]["routes"][0]["prefix"], "10.1.1.0/24");
    assert_eq!(lines[2]["error"]["faults"][0]["reason"], "not hex digits, two for each octet");
}

#[test]
fn what_is_no_input_says_what_would_be() {
    let error = decode(&["nosuch.pcap"], false).decode(&mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("nosuch.pcap") && error.contains("give a capture file"), "{error}");
}

/// OPENs of both sides, then an UPDATE in two segments, the later one first: 2-octet AS numbers, because one
/// side has no other, and path identifiers.
#[test]
fn a_capture_is_read_as_its_opens_say() {
    let open = |capabilities: &str| {
        let parameters = format!("02{:02x}{capabilities}", capabilities.len() / 2);
        let length = 29 + parameters.len() / 2;
        format!("{}{length:04x}0104fde900b40a000001{:02x}{parameters}", "ff".repeat(16), parameters.len() / 2)
    };
    let sender = open("010400010001450400010102");
    let receiver = open("010400010001450400010101");
    // ORIGIN, AS_PATH 65001, NEXT_HOP 192.0.2.1; path 7, 10.0.0.0/8.
    let update =
        format!("{}002f020000001240010100400204 0201fde9 400304c0000201 00000007080a", "ff".repeat(16));
    let (sender, receiver, update) =
        (octets(&sender).unwrap(), octets(&receiver).unwrap(), octets(&update).unwrap());
    let behind = 1 + sender.len() as u32;
    let path = std::env::temp_dir().join(format!("sixedge-decode-{}.pcap", std::process::id()));
    let packets = [
        packet(1, 0, true, &[]),
        packet(2, 0, true, &[]),
        packet(1, 1, false, &sender),
        packet(2, 1, false, &receiver),
        packet(1, behind + 20, false, &update[20..]),
        packet(1, behind, false, &update[..20]),
    ];
    std::fs::write(&path, pcap(&packets)).unwrap();
    let seen = shown(&decode(&[path.to_str().unwrap()], false));
    std::fs::remove_file(&path).unwrap();
    assert!(seen.0, "{}", seen.1);
    let (_, update) = seen.1.split_once("UPDATE\n").unwrap();
    assert_eq!(
        update.lines().map(str::trim).take(4).collect::<Vec<_>>(),
        [
            "announces ipv4-unicast next hop 192.0.2.1",
            "10.0.0.0/8  path 7",
            "origin                igp",
            "as path               65001",
        ]
    );
}

/// From host 1, port 50000, to host 2, port 179, or back.
fn packet(from: u8, sequence: u32, syn: bool, payload: &[u8]) -> Vec<u8> {
    let (to, ports) = if from == 1 { (2, (50000, 179)) } else { (1, (179, 50000)) };
    let builder = PacketBuilder::ethernet2([from; 6], [to; 6])
        .ipv4([192, 0, 2, from], [192, 0, 2, to], 64)
        .tcp(ports.0, ports.1, sequence, 1000);
    let builder = if syn { builder.syn() } else { builder };
    let mut packet = Vec::new();
    builder.write(&mut packet, payload).unwrap();
    packet
}

/// The classic format, version 2.4, Ethernet.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file: Vec<u8> = [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65535, 1].map(u32::to_le_bytes).concat();
    for packet in packets {
        let length = packet.len() as u32;
        file.extend([0, 0, length, length].map(u32::to_le_bytes).concat());
        file.extend(packet);
    }
    file
}
