//! Frames on the wires of a lab: sent as they are, and seen as they pass.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    os::fd::AsRawFd,
    process::{Child, ChildStderr, ChildStdout},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use lab::{Node, wait_until};
use nix::{
    ifaddrs::getifaddrs,
    sched::{CloneFlags, setns},
    sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, sendto, socket},
};

/// Sends frames out of an interface of a node, whatever is in them.
pub(crate) fn send(node: &Node<'_>, interface: &str, frames: &[Vec<u8>]) {
    inside(node, || {
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None).unwrap();
        let to = link_address(interface);
        for frame in frames {
            sendto(socket.as_raw_fd(), frame, &to, MsgFlags::empty()).unwrap();
        }
    });
}

/// Runs in a node's network namespace; sockets that are made there stay there.
pub(crate) fn inside<T: Send>(node: &Node<'_>, what: impl FnOnce() -> T + Send) -> T {
    let namespace = format!("/proc/{}/ns/net", node.pid().expect("the node is up"));
    // In a thread of its own, for that is what changes its namespace.
    let inside = || {
        setns(File::open(namespace).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
        what()
    };
    thread::scope(|scope| scope.spawn(inside).join().unwrap())
}

pub(crate) fn mac(node: &Node<'_>, interface: &str) -> [u8; 6] {
    inside(node, || link_address(interface).addr().expect("Ethernet has addresses"))
}

fn link_address(interface: &str) -> LinkAddr {
    let mut addresses = getifaddrs().unwrap().filter(|address| address.interface_name == interface);
    addresses.find_map(|address| address.address?.as_link_addr().copied()).expect("the interface is there")
}

/// What passes an interface.
pub(crate) struct Capture {
    tcpdump: Child,
    pcap: Arc<Mutex<Vec<u8>>>,
}

impl Capture {
    /// Returns when the capture runs.
    pub(crate) fn start(node: &Node<'_>, interface: &str, filter: &str) -> Self {
        // Short snapshots: the buffer has room for few long ones.
        let words = [
            "tcpdump",
            "-n",
            "-i",
            interface,
            "-s",
            "2048",
            "-B",
            "8192",
            "-U",
            "--immediate-mode",
            "-w",
            "-",
            filter,
        ];
        let mut tcpdump = node.spawn(words).unwrap();
        let pcap = read_along(tcpdump.stdout.take().unwrap());
        wait_for_start(tcpdump.stderr.take().unwrap());
        Self { tcpdump, pcap }
    }

    /// The frames so far.
    pub(crate) fn frames(&self) -> Vec<Vec<u8>> {
        frames(&self.pcap.lock().unwrap())
    }

    /// Waits for `count` frames; then all that there are.
    #[track_caller]
    pub(crate) fn wait(&self, count: usize) -> Vec<Vec<u8>> {
        let enough = wait_until(Duration::from_secs(20), || self.frames().len() >= count);
        let frames = self.frames();
        assert!(enough, "{} frames of {count} came by: {frames:x?}", frames.len());
        frames
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.tcpdump.kill();
        let _ = self.tcpdump.wait();
    }
}

fn read_along(mut from: ChildStdout) -> Arc<Mutex<Vec<u8>>> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&all);
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut chunk) {
            sink.lock().unwrap().extend(&chunk[..count]);
        }
    });
    all
}

fn wait_for_start(from: ChildStderr) {
    let mut lines = BufReader::new(from).lines().map_while(Result::ok);
    let said: Vec<_> = lines.by_ref().take_while(|line| !line.contains("listening on")).collect();
    // The pipe has to be emptied for as long as the program lives.
    thread::spawn(move || lines.for_each(drop));
    assert!(!said.iter().any(|line| line.contains("rror")), "{said:?}");
}

/// The packets of a pcap file, as far as they are there. Little-endian, as tcpdump writes it here.
fn frames(pcap: &[u8]) -> Vec<Vec<u8>> {
    const FILE_HEADER: usize = 24;
    let mut frames = Vec::new();
    let mut rest = pcap.get(FILE_HEADER..).unwrap_or_default();
    while let Some((header, after)) = rest.split_at_checked(16) {
        let length = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
        let Some((frame, after)) = after.split_at_checked(length) else { break };
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}
