use std::{net::IpAddr, vec::IntoIter};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::{
    render::testing::{labels, selector},
    world::Labels,
};

/// What a world is made of, choice by choice; the first of everything when none are left.
pub(super) struct Choices(IntoIter<u16>);

const ADDRESSES: &[&str] = &[
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.1",
    "fd00::2",
    "203.0.113.1",
    "203.0.113.2",
    "2001:db8:100::1",
    "169.254.1.1",
    "0.0.0.0",
    "127.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "fe80::1",
    "fc00:0:1::1",
    "::",
];
const NETS: &[&str] = &[
    "10.0.0.1/24",
    "10.0.0.0/24",
    "10.0.0.1/32",
    "10.1.0.0/16",
    "0.0.0.0/0",
    "::/0",
    "fd00::1/64",
    "fd00::/64",
    "2001:db8::/32",
    "fc00::/32",
    "fc00:0:1::/48",
    "224.0.0.0/4",
    "10.0.0.0/31",
    "10.0.0.1/33",
];
const NONSENSE: &[&str] = &["", "nowhere", "10.0.0", "-1", "/", "ä ö", "vrfs[0].services[0]", "\0", "::::"];
const NAMES: &[&str] =
    &["red", "blue", "a", "b", "web", "main", "a-name-that-is-much-longer-than-what-maps-have-room-for", ""];
const INTERFACES: &[&str] = &["eth1", "eth2", "tap*", "veth-a", "eth0", "*", "a/b", "much-too-long-a-name"];

impl Choices {
    pub(super) fn new(choices: Vec<u16>) -> Self {
        Self(choices.into_iter())
    }

    pub(super) fn below(&mut self, end: u16) -> u16 {
        self.0.next().unwrap_or(0) % end
    }

    pub(super) fn often(&mut self) -> bool {
        self.below(8) != 7
    }

    pub(super) fn seldom(&mut self) -> bool {
        !self.often()
    }

    pub(super) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::from(self.below(u16::try_from(all.len()).unwrap()))].clone()
    }

    /// The first ones more often than the last.
    fn early<T: Clone>(&mut self, all: &[T]) -> T {
        let end = self.below(u16::try_from(all.len()).unwrap()) + 1;
        all[usize::from(self.below(end))].clone()
    }

    pub(super) fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) == 1).then(|| value(self))
    }

    pub(super) fn list<T>(&mut self, most: u16, mut value: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| value(self)).collect()
    }

    fn text(&mut self, of: &[&str]) -> String {
        if self.below(16) == 15 { self.of(NONSENSE).to_owned() } else { self.early(of).to_owned() }
    }

    pub(super) fn name(&mut self) -> String {
        self.text(NAMES)
    }

    pub(super) fn interface(&mut self) -> String {
        self.text(INTERFACES)
    }

    pub(super) fn address_text(&mut self) -> String {
        self.text(ADDRESSES)
    }

    pub(super) fn net_text(&mut self) -> String {
        self.text(NETS)
    }

    pub(super) fn address(&mut self) -> IpAddr {
        self.early(ADDRESSES).parse().unwrap()
    }

    pub(super) fn node(&mut self) -> String {
        self.early(&["n1", "n2", "n3"]).to_owned()
    }

    pub(super) fn labels(&mut self) -> Labels {
        let value = self.of(&["red", "blue", ""]);
        labels(&[("tenant", value)])
    }

    pub(super) fn selector(&mut self) -> LabelSelector {
        match self.below(4) {
            0 => selector(&[]),
            1 => selector(&[("tenant", "red")]),
            2 => selector(&[("tenant", "blue")]),
            _ => selector(&[("name", "n1")]),
        }
    }
}
