use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Failure, Version};

/// A result of ADD, section 5, as far as it matters here: the same in all versions that are spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Outcome {
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) interfaces: Vec<Interface>,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) ips: Vec<Ip>,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) routes: Vec<Route>,
}

/// An interface, in the container where it has a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Interface {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) mac: String,
    #[serde(default)]
    pub(crate) mtu: Option<u32>,
    #[serde(default)]
    pub(crate) sandbox: String,
}

/// An address.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Ip {
    pub(crate) address: IpNet,
    #[serde(default)]
    pub(crate) gateway: Option<IpAddr>,
    /// Which of the interfaces has it.
    #[serde(default)]
    pub(crate) interface: Option<usize>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Route {
    pub(crate) dst: IpNet,
    #[serde(default)]
    pub(crate) gw: Option<IpAddr>,
    #[serde(default)]
    pub(crate) mtu: Option<u32>,
}

/// Go writes an empty list as `null`.
fn null_is_empty<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<Vec<T>>::deserialize(from).map(Option::unwrap_or_default)
}

impl Outcome {
    pub(crate) fn read(written: Value) -> Result<Self, Failure> {
        Ok(serde_json::from_value(written)?)
    }

    /// The addresses of the container's interface `name`. Those that are said to be no particular interface's are its, too.
    pub(crate) fn ips_of(&self, name: &str) -> impl Iterator<Item = &Ip> {
        let has = move |index: usize| {
            self.interfaces.get(index).is_some_and(|it| it.name == name && !it.sandbox.is_empty())
        };
        self.ips.iter().filter(move |ip| ip.interface.is_none_or(has))
    }

    pub(crate) fn write(&self, version: Version) -> Value {
        json!({
            "cniVersion": version.word(),
            "interfaces": self.interfaces.iter().map(|it| it.write(version)).collect::<Vec<_>>(),
            "ips": self.ips.iter().map(|it| it.write(version)).collect::<Vec<_>>(),
            "routes": self.routes.iter().map(|it| it.write(version)).collect::<Vec<_>>(),
        })
    }
}

impl Interface {
    fn write(&self, version: Version) -> Value {
        let sandbox = (!self.sandbox.is_empty()).then(|| self.sandbox.clone().into());
        let mtu = self.mtu.filter(|_| version >= Version::V1_1_0).map(Value::from);
        let name = Some(self.name.clone().into());
        object([("name", name), ("mac", Some(self.mac.clone().into())), ("mtu", mtu), ("sandbox", sandbox)])
    }
}

impl Ip {
    fn write(&self, version: Version) -> Value {
        let family = if self.address.addr().is_ipv4() { "4" } else { "6" };
        object([
            ("version", (version < Version::V1_0_0).then(|| family.into())),
            ("address", Some(self.address.to_string().into())),
            ("gateway", self.gateway.map(|gateway| gateway.to_string().into())),
            ("interface", self.interface.map(Value::from)),
        ])
    }
}

impl Route {
    fn write(&self, version: Version) -> Value {
        object([
            ("dst", Some(self.dst.to_string().into())),
            ("gw", self.gw.map(|gw| gw.to_string().into())),
            ("mtu", self.mtu.filter(|_| version >= Version::V1_1_0).map(Value::from)),
        ])
    }
}

fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}
