//! Passwords, and peers that are not on the link.

use std::{fs, path::PathBuf};

use vrf_manager::intent::{Neighbor, Secret};

use super::{HEAD, accepted, mistake_after_head, mistake_in_neighbor};

/// A file of that content, gone when dropped.
struct PasswordFile(PathBuf);

impl PasswordFile {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("sixedge-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn line(&self) -> String {
        format!("passwordFile: {}", self.0.display())
    }
}

impl Drop for PasswordFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn neighbor(line: &str) -> Neighbor {
    let text = format!(
        "{HEAD}bgp:\n  neighbors:\n  - {{ address: 192.0.2.2, asn: 65001, families: [vpnv4], {line} }}\n"
    );
    accepted(&text).bgp.neighbors.remove(0)
}

#[test]
fn a_password_is_the_line_of_its_file() {
    for (content, password) in
        [(&b"geheim\n"[..], "geheim"), (b" two words", " two words"), (b"crlf\r\n", "crlf")]
    {
        let file = PasswordFile::new("right", content);
        assert_eq!(neighbor(&file.line()).password, Some(Secret(password.into())));
    }
    assert_eq!(neighbor("multihop: 255").password, None);
}

#[test]
fn what_is_wrong_with_a_password_is_told_without_it() {
    let say = |name: &str, content: &[u8]| {
        let file = PasswordFile::new(name, content);
        let message = mistake_in_neighbor(&file.line());
        (message, file.0.display().to_string())
    };
    let long = [b'x'; 81];
    for (name, content) in [("empty", &b"\n"[..]), ("long", &long), ("lines", b"geheim\ngeheim\n")] {
        let (message, path) = say(name, content);
        let problem = "does not hold a password; write 1 to 80 octets into it, on one line";
        assert_eq!(message, format!("9:19: bgp.neighbors[0].passwordFile: {path} {problem}"));
    }
    let write = "write the path of a file that holds the password (/etc/sixedge/upstream.password)";
    assert_eq!(
        mistake_in_neighbor("passwordFile: upstream.password"),
        format!(
            "9:19: bgp.neighbors[0].passwordFile: \"upstream.password\" is not an absolute path; {write}"
        )
    );
    assert_eq!(
        mistake_in_neighbor("passwordFile: /nowhere/password"),
        format!(
            "9:19: bgp.neighbors[0].passwordFile: /nowhere/password cannot be read: \
             No such file or directory (os error 2); {write}"
        )
    );
    let found = mistake_in_neighbor("password: geheim");
    assert!(found.contains("password: unknown key") && found.contains("passwordFile"), "{found}");
    assert!(!found.contains("geheim"), "{found}");
}

#[test]
fn only_external_neighbors_are_several_hops_away() {
    assert_eq!((neighbor("multihop: 2").multihop, neighbor("port: 179").multihop), (Some(2), None));
    for hops in ["0", "1", "256", "many"] {
        let problem = format!("\"{hops}\" is not a number of hops; write 2 to 255");
        let found = mistake_after_head(&format!(
            "bgp: {{ neighbors: [{{ address: 192.0.2.2, asn: 65001, families: [vpnv4], multihop: {hops} }}] }}\n"
        ));
        assert!(found.ends_with(&format!("bgp.neighbors[0].multihop: {problem}")), "{found}");
    }
    assert_eq!(
        mistake_in_neighbor("multihop: 2"),
        "9:15: bgp.neighbors[0].multihop: a neighbor in our own AS may be any number of hops away; \
         remove multihop, or correct asn"
    );
}
