//! Maps container images to what this machine can run in their place. The table is [`Program::of`].
pub(crate) mod frr;
mod rootfs;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::LabError;
use crate::progress::Progress;
use crate::topology::Bind;

/// What stands in for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// FRR as installed on this machine.
    FrrOfHost,
    /// FRR 10.3 in a root file system of its own.
    Frr103,
    /// The sixedge binary of this build.
    Sixedge,
    /// No program: the machine's own tools, as a shell container.
    Plain,
}

/// A node's main program.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Main {
    /// One program.
    Command(Vec<String>),
    /// FRR's daemons, as `/etc/frr/daemons` in the node says.
    Frr,
}

/// All that a node needs of its image.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) root: PathBuf,
    pub(crate) binds: Vec<Bind>,
    pub(crate) main: Option<Main>,
}

impl Program {
    /// The local program for an image name, by its last path segment and tag.
    pub fn of(image: &str) -> Result<Self, String> {
        let last = image.rsplit('/').next().unwrap_or(image);
        let (name, tag) = last.split_once(':').unwrap_or((last, ""));
        if name.contains("sixedge") {
            return Ok(Self::Sixedge);
        }
        if !name.contains("frr") {
            return Ok(Self::Plain);
        }
        match tag.trim_start_matches('v') {
            "" => Ok(Self::FrrOfHost),
            tag if tag.starts_with("8.4") => Ok(Self::FrrOfHost),
            tag if tag.starts_with("10.3") => Ok(Self::Frr103),
            other => Err(format!("lab has FRR 8.4 and 10.3, not {other}; use the tag 8.4.4 or 10.3.1")),
        }
    }

    /// Finds what the image needs; FRR 10.3 is fetched on first use.
    pub(crate) fn prepare(self, cmd: Option<&[String]>, progress: &Progress) -> Result<Image, LabError> {
        let host = |main| Image { root: "/".into(), binds: Vec::new(), main };
        match self {
            Self::Plain => Ok(host(cmd.map(|cmd| Main::Command(cmd.to_vec())))),
            Self::FrrOfHost => frr::installed(Path::new("/")).map(|()| host(Some(Main::Frr))),
            Self::Frr103 => {
                let root = rootfs::frr_10_3(progress)?;
                Ok(Image { root, binds: Vec::new(), main: Some(Main::Frr) })
            }
            Self::Sixedge => sixedge(cmd),
        }
    }
}

/// Fetches the image named on the command line, if it is one that is fetched.
pub fn pull(image: &str, progress: &Progress) -> Result<PathBuf, LabError> {
    let program = Program::of(image);
    match program {
        Ok(Program::Frr103) => rootfs::frr_10_3(progress),
        Ok(_) => Ok(PathBuf::from("/")),
        Err(problem) => Err(LabError::Topology { place: format!("image {image}"), problem }),
    }
}

const AGENT: [&str; 3] = ["agent", "--config", "/etc/sixedge/sixedge.yaml"];
const SIXEDGE_IN_NODE: &str = "/usr/local/bin/sixedge";
const PLUGIN: &str = "sixedge-cni";

fn sixedge(cmd: Option<&[String]>) -> Result<Image, LabError> {
    let source = sixedge_binary()?;
    let words = cmd.map_or_else(|| AGENT.map(str::to_owned).to_vec(), <[String]>::to_vec);
    let main = Main::Command([vec![SIXEDGE_IN_NODE.to_owned()], words].concat());
    // Not every build has the CNI plugin.
    let plugin = source.with_file_name(PLUGIN);
    let target = PathBuf::from(SIXEDGE_IN_NODE).with_file_name(PLUGIN);
    let plugin = plugin.exists().then_some(Bind { source: plugin, target, read_only: true });
    let agent = Bind { source, target: SIXEDGE_IN_NODE.into(), read_only: true };
    Ok(Image { root: "/".into(), binds: [agent].into_iter().chain(plugin).collect(), main: Some(main) })
}

/// `$SIXEDGE_BIN`, or `sixedge` beside the lab binary.
fn sixedge_binary() -> Result<PathBuf, LabError> {
    let named = std::env::var_os("SIXEDGE_BIN").map(PathBuf::from);
    let path = match named {
        Some(path) => path,
        None => crate::binary::lab()?.with_file_name("sixedge"),
    };
    path.canonicalize().map_err(|_| LabError::Missing {
        program: path.display().to_string(),
        remedy: "build it (cargo build -p sixedge) or name it in SIXEDGE_BIN".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::Program::{self, *};

    #[test]
    fn images_map_to_local_programs() {
        for (image, program) in [
            ("frrouting/frr:v8.4.0", FrrOfHost),
            ("frrouting/frr:10.3.1", Frr103),
            ("frr", FrrOfHost),
            ("frr-fans/sixedge:dev", Sixedge),
            ("alpine:3.20", Plain),
            ("localhost:5000/network-multitool", Plain),
        ] {
            assert_eq!(Program::of(image), Ok(program), "{image}");
        }
        assert!(
            Program::of("frrouting/frr:9.1").is_err_and(|problem| problem.contains("8.4 and 10.3, not 9.1"))
        );
    }
}
