use std::path::PathBuf;

use cni::protocol::{AttachmentId, SOCKET};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Failure, Outcome, Version};

/// MTUs that IPv6 works with.
const MTUS: std::ops::RangeInclusive<u32> = 1280..=65535;

/// The network configuration of the plugin, section 1, checked.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) version: Version,
    pub(crate) network: String,
    pub(crate) socket: PathBuf,
    /// No interface gets a larger one.
    pub(crate) mtu: Option<u32>,
    mode: Option<Mode>,
    previous: Option<Map<String, Value>>,
    valid: Option<Vec<Valid>>,
}

/// Who makes the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// The plugin in front.
    Chained,
    /// We do.
    Standalone,
}

/// As it is written. Runtimes add keys of their own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    name: Option<String>,
    mode: Option<Mode>,
    socket: Option<PathBuf>,
    mtu: Option<u32>,
    ipam: Option<Value>,
    prev_result: Option<Map<String, Value>>,
    #[serde(rename = "cni.dev/valid-attachments")]
    valid: Option<Vec<Valid>>,
}

/// Read before everything else, so that a runtime of another version is told so.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Versioned {
    #[serde(default)]
    cni_version: String,
}

/// An attachment that is still there, as GC says it.
#[derive(Clone, Debug, Deserialize)]
struct Valid {
    #[serde(rename = "containerID")]
    container: String,
    ifname: String,
}

impl Config {
    /// The version alone.
    pub(crate) fn version(text: &[u8]) -> Result<Version, Failure> {
        let versioned: Versioned = serde_json::from_value(object(text)?)?;
        Version::parse(&versioned.cni_version)
    }

    pub(crate) fn read(text: &[u8]) -> Result<Self, Failure> {
        let version = Self::version(text)?;
        let written: Written = serde_json::from_value(object(text)?)?;
        if let Some(ipam) =
            written.ipam.filter(|ipam| !ipam.is_null() && *ipam != Value::Object(Default::default()))
        {
            let remedy =
                "addresses come from Vrf.spec.podNetwork, or from the plugin in front: remove the key";
            return Err(Failure::Unsupported { key: "ipam", value: ipam.to_string(), remedy });
        }
        if written.mtu.is_some_and(|mtu| !MTUS.contains(&mtu)) {
            return Err(Failure::Config(
                "mtu: write 1280 to 65535, or leave it out to have the largest that fits",
            ));
        }
        let network = written.name.filter(|name| !name.is_empty());
        Ok(Self {
            version,
            network: network.ok_or(Failure::Config("name: write the network's name"))?,
            socket: written.socket.unwrap_or_else(|| SOCKET.into()),
            mtu: written.mtu,
            mode: written.mode,
            previous: written.prev_result,
            valid: written.valid,
        })
    }

    /// Who makes the interface: as it is written, else the plugin in front where there is one.
    pub(crate) fn mode(&self) -> Result<Mode, Failure> {
        match (self.mode, &self.previous) {
            (Some(Mode::Chained), None) => Err(Failure::Config(
                "mode chained: no prevResult came; put sixedge-cni behind the plugin that makes the interface, in a conflist",
            )),
            (Some(Mode::Standalone), Some(_)) => Err(Failure::Config(
                "mode standalone: a prevResult came, which would be lost; put sixedge-cni first in the conflist, or write mode chained",
            )),
            (Some(mode), _) => Ok(mode),
            (None, Some(_)) => Ok(Mode::Chained),
            (None, None) => Ok(Mode::Standalone),
        }
    }

    /// The mode that is written: CHECK comes with the last result in either.
    pub(crate) const fn written_mode(&self) -> Option<Mode> {
        self.mode
    }

    /// What the plugins in front have made; on CHECK also what we have.
    pub(crate) fn previous(&self) -> Result<Previous, Failure> {
        let written = self.previous.clone();
        let written = written.ok_or(Failure::Config("prevResult is missing; runtimes set it for CHECK"))?;
        Ok(Previous { read: Outcome::read(Value::Object(written.clone()))?, written })
    }

    /// What GC says is there.
    pub(crate) fn valid(&self) -> Result<Vec<AttachmentId>, Failure> {
        // To take a missing list for an empty one would take every pod's interface away.
        let listed = self.valid.as_ref();
        let listed =
            listed.ok_or(Failure::Config("cni.dev/valid-attachments is missing; runtimes set it for GC"))?;
        let id = |it: &Valid| AttachmentId { container: it.container.clone(), interface: it.ifname.clone() };
        Ok(listed.iter().map(id).collect())
    }
}

/// A list would be read as the members in their order.
fn object(text: &[u8]) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(text).map(Value::Object)?)
}

/// A result of plugins in front.
pub(crate) struct Previous {
    pub(crate) read: Outcome,
    /// With whatever else is in it.
    pub(crate) written: Map<String, Value>,
}
