use std::{
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

use super::unique;

/// A network namespace that goes away.
pub(crate) struct Net(String);

impl Net {
    pub(crate) fn new() -> Self {
        let net = Self(unique("sxcni-"));
        let made = Command::new("ip").args(["netns", "add", &net.0]).output().unwrap();
        assert!(made.status.success(), "namespaces need root: {}", String::from_utf8_lossy(&made.stderr));
        net
    }

    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.0)
    }

    /// Any command, inside.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command
    }

    fn run(&self, line: &str) -> Output {
        let mut words = line.split(' ');
        self.command(words.next().unwrap()).args(words).output().unwrap()
    }

    /// What a command says; it must succeed.
    pub(crate) fn exec(&self, line: &str) -> String {
        let output = self.run(line);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether a command succeeds.
    pub(crate) fn succeeds(&self, line: &str) -> bool {
        self.run(line).status.success()
    }

    /// Interfaces, but for the loopback.
    pub(crate) fn links(&self) -> Vec<Value> {
        let links: Vec<Value> = serde_json::from_str(&self.exec("ip -d -j link")).unwrap();
        links.into_iter().filter(|link| link["ifname"] != "lo").collect()
    }

    pub(crate) fn link(&self, name: &str) -> Option<Value> {
        self.links().into_iter().find(|link| link["ifname"] == name)
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}
