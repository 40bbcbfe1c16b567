use std::fmt;

use serde_json::{Value, json};

use super::Failure;

/// Versions of the specification that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V0_4_0,
    V1_0_0,
    V1_1_0,
}

impl Version {
    const ALL: [Self; 3] = [Self::V0_4_0, Self::V1_0_0, Self::V1_1_0];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::V0_4_0 => "0.4.0",
            Self::V1_0_0 => "1.0.0",
            Self::V1_1_0 => "1.1.0",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let found = Self::ALL.into_iter().find(|version| version.word() == text);
        found.ok_or_else(|| Failure::Version(text.to_owned()))
    }

    /// The answer to VERSION.
    pub(crate) fn report() -> Value {
        json!({ "cniVersion": Self::V1_1_0.word(), "supportedVersions": Self::ALL.map(Self::word) })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
