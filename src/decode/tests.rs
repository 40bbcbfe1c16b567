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

fn answers(input: &[u8]) -> (bool, Vec<serde_json::Value>) {
    let mut out = Vec::new();
    let well_formed = decode(&["-"], true).lines(input, &mut out).unwrap();
    let lines = String::from_utf8(out).unwrap();
    (well_formed, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn each_line_gets_its_line_and_malformed_ones_their_verdict() {
    let bad_origin = UPDATE.replace("40010100", "40010109");
    let input = format!("{UPDATE}\n\n{bad_origin}\nnonsense\n{}", &UPDATE[..60]);
    let (well_formed, lines) = answers(input.as_bytes());
    let verdicts: Vec<_> = lines.iter().map(|line| line["error"]["verdict"].as_str()).collect();
    assert!(!well_formed);
    assert_eq!(verdicts, [None, None, Some("treat-as-withdraw"), None, Some("session-reset")]);
    assert_eq!(lines[2]["announced"][0]["routes"][0]["prefix"], "10.1.1.0/24");
    let reasons = [1, 3].map(|line| lines[line]["error"]["faults"][0]["reason"].as_str().unwrap().to_owned());
    assert_eq!(
        reasons,
        ["an empty line; write one message as hex digits", "not hex digits, two for each octet"]
    );
}

#[test]
fn digits_are_taken_however_they_are_written() {
    let pairs: Vec<_> = UPDATE.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap()).collect();
    let spellings = [
        UPDATE.to_uppercase(),
        pairs.join(" "),
        pairs.join(":"),
        format!("  {UPDATE}\t\r"),
        UPDATE.to_owned(),
    ];
    let (well_formed, lines) = answers(spellings.join("\n").as_bytes());
    assert!(well_formed);
    assert_eq!(lines, vec![lines[0].clone(); 5]);
}

#[test]
fn a_line_that_is_not_one_message_is_one_error() {
    let two = format!("{UPDATE}{UPDATE}");
    let input = [two.as_bytes(), &UPDATE.as_bytes()[1..], b"\xff\xfe\x00", b"\r", b"0x00"].join(&b'\n');
    let (well_formed, lines) = answers(&input);
    assert!(!well_formed);
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().all(|line| line["error"]["faults"][0]["reason"].is_string()), "{lines:?}");
    assert_eq!(lines[0]["error"]["faults"][0]["reason"], "more than one message; write one per line");
}

/// Gives a line, and the next one only when the first was answered.
struct Conversation<'a> {
    questions: Vec<&'a str>,
    answered: &'a std::cell::Cell<usize>,
    asked: usize,
}

impl std::io::Read for Conversation<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        assert_eq!(self.answered.get(), self.asked, "each line is answered before the next is waited for");
        let Some(question) = self.questions.get(self.asked) else { return Ok(0) };
        self.asked += 1;
        buffer[..question.len()].copy_from_slice(question.as_bytes());
        Ok(question.len())
    }
}

/// Counts the lines that were flushed.
struct Flushed<'a>(usize, &'a std::cell::Cell<usize>);

impl std::io::Write for Flushed<'_> {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0 += octets.iter().filter(|octet| **octet == b'\n').count();
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.1.set(self.0);
        Ok(())
    }
}

#[test]
fn a_program_that_asks_line_by_line_is_answered_at_once() {
    let line = format!("{UPDATE}\n");
    let answered = std::cell::Cell::new(0);
    let input = Conversation { questions: vec![&line, "nonsense\n", &line], answered: &answered, asked: 0 };
    decode(&["-"], true).lines(input, &mut Flushed(0, &answered)).unwrap();
    assert_eq!(answered.get(), 3);
}

/// What FRR 10.3 sent, counted by another decoder: `tshark -r FILE -Y bgp -T fields -e bgp.type`.
#[test]
fn a_capture_of_frr_has_the_messages_that_tshark_counts() {
    let capture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures/frr103.pcap");
    let (well_formed, lines) = shown(&decode(&[capture], true));
    let mut counts = std::collections::BTreeMap::new();
    for line in lines.lines() {
        let view: serde_json::Value = serde_json::from_str(line).unwrap();
        *counts.entry(view["type"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert!(well_formed);
    let counts: Vec<_> = counts.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(counts, [("keepalive", 2), ("notification", 5), ("open", 4), ("update", 12)]);
}

#[test]
fn packets_cut_short_are_counted() {
    let (whole, mut file) = (packet(1, 1, false, &[0xff; 19]), Vec::new());
    file.extend(pcap(&[whole.clone(), whole[..60].to_vec()]));
    let last_length = file.len() - 60 - 4;
    file[last_length..][..4].copy_from_slice(&(whole.len() as u32).to_le_bytes());
    let path = std::env::temp_dir().join(format!("sixedge-decode-{}-short.pcap", std::process::id()));
    std::fs::write(&path, file).unwrap();
    let capture = capture::read(path.to_str().unwrap()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!((capture.segments.len(), capture.cut_short), (1, 1));
}

#[test]
fn linux_cooked_frames_of_both_versions_are_read() {
    let keepalive = octets(&format!("{}001304", "ff".repeat(16))).unwrap();
    let (ethernet, ip) = (packet(1, 1, false, &keepalive), 14);
    // Direction, ARPHRD_ETHER, length and address; version 2 begins with the EtherType and has the interface.
    let cooked = [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0][..], &ethernet[ip..]].concat();
    let cooked2 =
        [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &ethernet[ip..]].concat();
    for (linktype, frame) in
        [(1, &ethernet), (113, &cooked), (276, &cooked2), (101, &ethernet[ip..].to_vec())]
    {
        let mut file = pcap(std::slice::from_ref(frame));
        file[20..24].copy_from_slice(&u32::to_le_bytes(linktype));
        let name = format!("sixedge-decode-{}-{linktype}.pcap", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, file).unwrap();
        let (_, text) = shown(&decode(&[path.to_str().unwrap()], false));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text, "192.0.2.1:50000 > 192.0.2.2:179  KEEPALIVE\n", "link type {linktype}");
    }
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
