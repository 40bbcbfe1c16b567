//! What is wrong with the file or its YAML.

use std::path::Path;

use super::{HEAD, accepted, mistakes};
use crate::config;

#[test]
fn an_address_that_ends_in_a_colon_needs_quotes() {
    let remedy = "put quotes around what ends in a colon: \"fc00::\"";
    assert_eq!(
        mistakes("srv6:\n  source: fc00::\n"),
        [format!("2:16: this is not YAML: mapping values are not allowed in this context; {remedy}")]
    );
    assert_eq!(
        mistakes("srv6: { source: fc00::, locators: [] }\n"),
        [format!(
            "1:22: this is not YAML: while parsing a flow mapping, did not find expected ',' or '}}'; {remedy}"
        )]
    );
    let list = format!("{HEAD}bgp: {{ listenAddresses: [fc00::, \"fc00::\"] }}\n");
    assert_eq!(mistakes(&list), [format!("5:26: bgp.listenAddresses[0]: is a mapping; {remedy}")]);
}

#[test]
fn a_tab_is_named() {
    assert_eq!(
        mistakes("router:\n\tasn: 65000\n"),
        [
            "2:2: this is not YAML: tabs disallowed within this context (block indentation); indent with spaces"
        ]
    );
}

#[test]
fn other_broken_yaml_has_a_place() {
    assert_eq!(
        mistakes("srv6:\n  source: [a\nb: 1\n"),
        ["3:2: this is not YAML: illegal placement of ':' indicator; \
          look at the indentation, the colons and the quotes of this line and the one above"]
    );
}

#[test]
fn anchors_aliases_and_tags_are_refused() {
    assert_eq!(
        mistakes("router: &x { asn: 65000, routerId: 192.0.2.1 }\nsrv6: *x\nbgp: !y {}\nvrfs: *unknown\n"),
        [
            "1:12: YAML anchors (&name) are not understood; write the value where it is used",
            "2:7: YAML aliases (*name) are not understood; write the value out",
            "3:9: YAML tags (!name) are not understood; leave the tag out",
            "4:7: YAML aliases (*name) are not understood; write the value out",
        ]
    );
}

#[test]
fn one_document_only() {
    assert_eq!(
        mistakes(&format!("{HEAD}---\nbgp: {{}}\n")),
        ["5:1: a second YAML document begins; put everything into the first"]
    );
    accepted(&format!("---\n{HEAD}...\n"));
}

#[test]
fn a_key_is_a_word() {
    assert_eq!(mistakes(&format!("{HEAD}? [a]\n: b\n")), ["5:3: a key must be a word; write key: value"]);
}

#[test]
fn an_empty_file_says_what_is_needed() {
    assert_eq!(
        mistakes("# nothing yet\n"),
        ["1:1: \"router\" is missing; write router: { asn: 65000, routerId: 192.0.2.1 }"]
    );
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let missing = config::load(Path::new("/nonexistent/pe1.yaml")).expect_err("no such file").to_string();
    assert_eq!(
        missing,
        "/nonexistent/pe1.yaml: cannot be read: No such file or directory (os error 2); name the file with --config"
    );
}

#[test]
fn text_that_is_not_utf8_has_a_place() {
    let path = std::env::temp_dir().join(format!("sixedge-latin1-{}.yaml", std::process::id()));
    std::fs::write(&path, b"router: {}\n# caf\xe9\n").expect("a temporary file");
    let mistakes = config::load(&path).expect_err("not UTF-8").to_string();
    std::fs::remove_file(&path).expect("it was written");
    assert_eq!(mistakes, format!("{}:2:6: the text is not UTF-8; save the file as UTF-8", path.display()));
}
