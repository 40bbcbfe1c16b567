mod accepted;
mod arbitrary;
mod attributes;
mod contradictions;
mod documented;
mod keys;
mod translations;
mod transport;
mod values;
mod yaml;

use vrf_manager::intent::Intent;

/// Four lines that every file needs; what a test adds begins on line 5.
const HEAD: &str = "router:\n  { asn: 65000, routerId: 192.0.2.1 }\nsrv6:\n  { source: 2001:db8::1, locators: [{ name: main, prefix: fc00:0:1::/48 }] }\n";

#[track_caller]
fn accepted(text: &str) -> Intent {
    match super::parse("pe1.yaml", text) {
        Ok(intent) => intent,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// The mistakes of `text`, each without the file's name.
#[track_caller]
fn mistakes(text: &str) -> Vec<String> {
    let mistakes = super::parse("pe1.yaml", text).expect_err("mistakes").to_string();
    mistakes.lines().map(|line| line.strip_prefix("pe1.yaml:").expect("the file's name").to_owned()).collect()
}

/// The one mistake of [`HEAD`] followed by `text`.
#[track_caller]
fn mistake_after_head(text: &str) -> String {
    let mut found = mistakes(&format!("{HEAD}{text}"));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// The one mistake of a neighbor with `line` (line 9) in it.
#[track_caller]
fn mistake_in_neighbor(line: &str) -> String {
    mistake_after_head(&format!(
        "bgp:\n  neighbors:\n  - address: 192.0.2.2\n    asn: 65000\n    {line}\n    families: [vpnv4]\n"
    ))
}

/// The one mistake of a VRF with `line` (line 7) in it.
#[track_caller]
fn mistake_in_vrf(line: &str) -> String {
    mistake_after_head(&format!("vrfs:\n- name: red\n  {line}\n"))
}
