//! Another node: a network namespace held by a process, and gone with it.

use std::process::{Child, Command};

use crate::lab::run;

pub(crate) struct Namespace {
    holder: Child,
}

impl Namespace {
    pub(crate) fn new() -> Self {
        let holder = Command::new("unshare").args(["--net", "sleep", "infinity"]).spawn().unwrap();
        let namespace = Self { holder };
        namespace.wait();
        namespace
    }

    /// As `ip link` names it.
    pub(crate) fn id(&self) -> u32 {
        self.holder.id()
    }

    /// Until the child has left our own namespace.
    fn wait(&self) {
        let namespace = |of: &str| std::fs::read_link(format!("/proc/{of}/ns/net")).unwrap();
        for _ in 0..500 {
            if namespace(&self.id().to_string()) != namespace("thread-self") {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("unshare did not make a network namespace");
    }

    /// `program` with its arguments, to run in there.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.id())).args(line.split_whitespace());
        command
    }

    pub(crate) fn run(&self, line: &str) -> String {
        run(&mut self.command(line))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
