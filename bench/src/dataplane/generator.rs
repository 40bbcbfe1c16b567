//! Sends frames into a veth and takes the CPU time of it: what the device does with a frame runs on the same core, in
//! the softirq of the sending thread.

use std::{fs, time::Duration};

use aya::{
    Ebpf, EbpfLoader, TestRun as _,
    maps::Array,
    programs::{SchedClassifier, TcAttachType, TestRunAttrs, TestRunOptions, Xdp},
};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::Pid,
};
use srv6_dp::object::GENERATOR;

use super::{
    DataplaneBenchError as Error,
    frames::{Side, Traffic},
};

/// Frames in flight at a time.
const BATCH: u32 = 64;

/// The programs of one kind of traffic.
pub(crate) struct Generator {
    pub(crate) from: Side,
    /// How many destinations, or flows, it sends to before it starts again.
    pub(crate) count: u32,
    object: Ebpf,
    program: &'static str,
    frame: Vec<u8>,
}

impl Generator {
    pub(crate) fn new(traffic: &Traffic) -> Result<Self, Error> {
        let count = traffic.destinations.len() as u32;
        let mut object = load(count)?;
        set(&mut object, "TEMPLATE", 0, words(&traffic.template))?;
        set(&mut object, "CURSOR", 0, [count, 0])?;
        {
            let map = object.map_mut("DESTINATIONS").ok_or(Error::Missing("DESTINATIONS"))?;
            let mut destinations = Array::<_, [u32; 4]>::try_from(map).map_err(Error::ebpf)?;
            for (index, destination) in (0..).zip(&traffic.destinations) {
                destinations.set(index, destination, 0).map_err(Error::ebpf)?;
            }
        }
        let program: &mut Xdp = program(&mut object, traffic.program)?;
        program.load().map_err(Error::ebpf)?;
        let frame = traffic.template[..traffic.length].to_vec();
        Ok(Self { from: traffic.from, count, object, program: traffic.program, frame })
    }

    /// Sends `packets` out of `interface` of this thread's namespace; the CPU time that it took.
    pub(crate) fn send(&self, interface: u32, packets: u32) -> Result<Duration, Error> {
        let program = self.object.program(self.program).ok_or(Error::Missing(self.program))?;
        let program: &Xdp = program.try_into().map_err(Error::ebpf)?;
        // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
        let context = [0, self.frame.len() as u32, 0, interface, 0, 0].map(u32::to_ne_bytes).concat();
        let before = cpu_time()?;
        program
            .test_run(TestRunOptions {
                data_in: Some(&self.frame),
                ctx_in: Some(&context),
                repeat: packets,
                attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
                ..TestRunOptions::default()
            })
            .map_err(Error::ebpf)?;
        Ok(cpu_time()?.saturating_sub(before))
    }
}

/// Attaches the sink, or the bare redirect to `target`, to an interface of this thread's namespace; attached as long as
/// what is returned lives.
pub(crate) fn attach(name: &'static str, interface: &str, target: u32) -> Result<Ebpf, Error> {
    let mut object = load(1)?;
    set(&mut object, "TARGET", 0, target)?;
    let program: &mut SchedClassifier = program(&mut object, name)?;
    program.load().map_err(Error::ebpf)?;
    program.attach(interface, TcAttachType::Ingress).map_err(Error::ebpf)?;
    Ok(object)
}

/// Keeps this thread, and those that it starts, on the last core.
pub(crate) fn pin() -> Result<(), Error> {
    let mut cores = CpuSet::new();
    cores.set(last_core()).map_err(Error::ebpf)?;
    sched_setaffinity(Pid::from_raw(0), &cores).map_err(Error::ebpf)
}

fn last_core() -> usize {
    fs::read_to_string("/proc/cpuinfo")
        .map_or(1, |text| text.matches("processor\t").count())
        .saturating_sub(1)
}

/// CPU time of this thread.
pub(crate) fn thread_time() -> Result<Duration, Error> {
    run_time("thread-self")
}

/// CPU time of this thread, and of the core's ksoftirqd should work have been left to it.
fn cpu_time() -> Result<Duration, Error> {
    Ok(thread_time()? + run_time(&ksoftirqd()?)?)
}

fn run_time(task: &str) -> Result<Duration, Error> {
    let text = fs::read_to_string(format!("/proc/{task}/schedstat")).map_err(Error::ebpf)?;
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    nanoseconds.map(Duration::from_nanos).ok_or(Error::Missing("schedstat"))
}

fn ksoftirqd() -> Result<String, Error> {
    let name = format!("ksoftirqd/{}", last_core());
    let tasks = fs::read_dir("/proc").map_err(Error::ebpf)?.filter_map(Result::ok);
    tasks
        .filter(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name))
        .find_map(|task| task.file_name().into_string().ok())
        .ok_or(Error::Missing("ksoftirqd"))
}

fn load(destinations: u32) -> Result<Ebpf, Error> {
    EbpfLoader::new().map_max_entries("DESTINATIONS", destinations).load(GENERATOR).map_err(Error::ebpf)
}

fn set<V: aya::Pod>(object: &mut Ebpf, map: &'static str, index: u32, value: V) -> Result<(), Error> {
    let map = object.map_mut(map).ok_or(Error::Missing(map))?;
    Array::<_, V>::try_from(map).and_then(|mut array| array.set(index, value, 0)).map_err(Error::ebpf)
}

fn program<'a, P>(object: &'a mut Ebpf, name: &'static str) -> Result<&'a mut P, Error>
where
    &'a mut P: TryFrom<&'a mut aya::programs::Program, Error = aya::programs::ProgramError>,
{
    object.program_mut(name).ok_or(Error::Missing(name))?.try_into().map_err(Error::ebpf)
}

fn words(octets: &[u8; super::frames::LONG]) -> [u64; super::frames::LONG / 8] {
    let mut words = [0; super::frames::LONG / 8];
    for (word, chunk) in words.iter_mut().zip(octets.chunks_exact(8)) {
        let mut eight = [0; 8];
        eight.copy_from_slice(chunk);
        *word = u64::from_ne_bytes(eight);
    }
    words
}
