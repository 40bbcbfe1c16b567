//! FRR as a node's main program: which daemons, in which order, with which options. FRR's own start scripts
//! want systemd or watchfrr; the order here is theirs.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::LabError;

const DAEMONS_DIR: &str = "/usr/lib/frr";
/// Started in this order where enabled. mgmtd (10.x), zebra and staticd always run where they exist.
const ORDER: [&str; 20] = [
    "mgmtd", "zebra", "staticd", "bgpd", "ospfd", "ospf6d", "ripd", "ripngd", "isisd", "pimd", "pim6d",
    "ldpd", "nhrpd", "eigrpd", "babeld", "sharpd", "pbrd", "bfdd", "fabricd", "vrrpd",
];
const ALWAYS: [&str; 3] = ["mgmtd", "zebra", "staticd"];

/// One daemon to start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Daemon {
    pub(crate) name: &'static str,
    pub(crate) command: Vec<String>,
}

impl Daemon {
    /// Where it answers once it is up.
    pub(crate) fn vty(&self) -> PathBuf {
        Path::new("/run/frr").join(self.name).with_extension("vty")
    }
}

/// Whether FRR is there below `root`.
pub(crate) fn installed(root: &Path) -> Result<(), LabError> {
    let zebra = root.join(&DAEMONS_DIR[1..]).join("zebra");
    match zebra.exists() {
        true => Ok(()),
        false => Err(LabError::Missing {
            program: zebra.display().to_string(),
            remedy: "install FRR (apt-get install frr), or use the image frr:10.3".into(),
        }),
    }
}

/// The daemons that the text of `/etc/frr/daemons` enables.
pub(crate) fn daemons(text: &str, exists: impl Fn(&Path) -> bool) -> Vec<Daemon> {
    let settings = settings(text);
    let enabled =
        |name: &str| ALWAYS.contains(&name) || settings.get(name).is_some_and(|value| value == "yes");
    let path = |name: &str| Path::new(DAEMONS_DIR).join(name);
    ORDER
        .into_iter()
        .filter(|name| enabled(name) && exists(&path(name)))
        .map(|name| {
            let options = settings.get(&format!("{name}_options")).map_or("-A 127.0.0.1", String::as_str);
            let mut command = vec![path(name).display().to_string()];
            command.extend(shlex::split(options).unwrap_or_default());
            command.extend(["--log", "stdout"].map(str::to_owned));
            Daemon { name, command }
        })
        .collect()
}

/// Lines `name=value` of a shell file; quotes taken off.
fn settings(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| {
            (name.trim().to_owned(), value.trim().trim_matches(['"', '\'']).trim().to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::daemons;

    #[test]
    fn enabled_daemons_start_in_frrs_order_with_their_options() {
        let text = "# bgpd=no\nisisd=yes\nbgpd=yes\nospfd=no\nbgpd_options=\"  -A 127.0.0.1 -M bmp\"\n";
        let started = daemons(text, |path| !path.ends_with("mgmtd"));
        assert_eq!(
            started.iter().map(|daemon| daemon.name).collect::<Vec<_>>(),
            ["zebra", "staticd", "bgpd", "isisd"]
        );
        assert_eq!(
            started[2].command,
            ["/usr/lib/frr/bgpd", "-A", "127.0.0.1", "-M", "bmp", "--log", "stdout"]
        );
        assert_eq!(started[2].vty().to_str(), Some("/run/frr/bgpd.vty"));
    }

    #[test]
    fn mgmtd_comes_first_where_frr_has_it() {
        assert_eq!(daemons("", |_| true)[0].name, "mgmtd");
    }
}
