//! The measurement: load everything, then withdraw everything, each until the receiver has accounted for every route.

use std::{
    io::Write,
    net::IpAddr,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use bgp_wire::{
    Message,
    message::{NextHop, Update},
};
use serde::Serialize;

use super::{
    Options, process,
    routes::Load,
    session::{Session, SessionError},
};

/// What was measured, for one run.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) routes: usize,
    /// Routes that the receiver held at the end of the load.
    pub(crate) held: usize,
    /// Routes that it still held at the end of the withdrawal.
    pub(crate) left: usize,
    /// First octet sent until the receiver held the last route.
    pub(crate) load_s: f64,
    pub(crate) load_cpu_s: Option<f64>,
    /// The same for the withdrawal.
    pub(crate) withdraw_s: f64,
    pub(crate) peak_mb: Option<f64>,
    /// What the process's resident memory grew by, per route.
    pub(crate) octets_per_route: Option<f64>,
    /// UPDATEs that the receiver got for the load: how well the speaker packs.
    pub(crate) updates: usize,
    /// Withdrawals of routes that the receiver did not hold, and routes that nobody sent.
    pub(crate) stray: usize,
}

impl Figures {
    /// Every route came through, went again, and nothing else came.
    pub(crate) fn complete(&self) -> bool {
        self.held == self.routes && self.left == 0 && self.stray == 0
    }
}

/// Loads the tables and withdraws them again.
pub(crate) fn run(options: &Options, timeout: Duration) -> Result<Figures, SessionError> {
    let families: Vec<_> = options.routes.iter().map(|load| load.family).collect();
    let receiver = Session::establish(options.target, options.receiver, &families)?;
    let sender = Session::establish(options.target, options.sender, &families)?;
    let next_hop = match options.sender {
        IpAddr::V4(address) => NextHop::V4(address),
        IpAddr::V6(global) => NextHop::V6 { global, link_local: None },
    };
    let (mut announce, mut withdraw) = (Vec::new(), Vec::new());
    for load in &options.routes {
        announce.extend(load.announcements(options.per_set, next_hop));
        withdraw.extend(load.withdrawals());
    }
    let mut out = sender.writer()?;
    thread::spawn(move || drain(sender));
    let routes = options.routes.iter().map(|load| load.count).sum();
    let progress = Held::count(receiver, options.routes.clone());

    let cpu = || options.pid.and_then(process::cpu);
    let resident = || options.pid.and_then(process::resident_kilobytes);
    let resident_before = resident();
    let (start, cpu_start) = (Instant::now(), cpu());
    out.write_all(&announce)?;
    let loaded = progress.wait(timeout, |held| held.now == routes);
    let (load_s, load_cpu) = (start.elapsed(), cpu().zip(cpu_start).map(|(end, start)| end - start));
    let grown = resident().zip(resident_before).map(|(after, before)| after.saturating_sub(before) * 1024);
    let start = Instant::now();
    out.write_all(&withdraw)?;
    let emptied = progress.wait(timeout, |held| held.now == 0);
    Ok(Figures {
        routes,
        held: loaded.now,
        left: emptied.now,
        load_s: load_s.as_secs_f64(),
        load_cpu_s: load_cpu.map(|cpu| cpu.as_secs_f64()),
        withdraw_s: start.elapsed().as_secs_f64(),
        peak_mb: options.pid.and_then(process::peak_kilobytes).map(|kb| kb as f64 / 1024.0),
        octets_per_route: grown.map(|octets| octets as f64 / routes as f64),
        updates: loaded.updates,
        stray: emptied.stray,
    })
}

/// What comes back on the sending session is read, so that the speaker is not held up.
fn drain(mut session: Session) {
    while session.receive().is_ok() {}
}

/// How much the receiver holds, as of its last message.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    now: usize,
    updates: usize,
    stray: usize,
}

struct Progress(mpsc::Receiver<Held>);

impl Held {
    fn count(mut session: Session, loads: Vec<Load>) -> Progress {
        let (tell, progress) = mpsc::channel();
        thread::spawn(move || {
            let mut present: Vec<_> = loads.iter().map(|load| vec![false; load.count]).collect();
            let mut held = Self::default();
            while let Ok(message) = session.receive() {
                if let Message::Update(update) = message {
                    held.account(&update, &loads, &mut present);
                    if tell.send(held).is_err() {
                        break;
                    }
                }
            }
        });
        Progress(progress)
    }

    fn account(&mut self, update: &Update, loads: &[Load], present: &mut [Vec<bool>]) {
        self.updates += 1;
        let announced = update.announced.iter().map(|announced| (&announced.nlri, true));
        let withdrawn = update.withdrawn.iter().map(|withdrawn| (&withdrawn.nlri, false));
        for (list, here) in announced.chain(withdrawn) {
            let table = loads.iter().zip(present.iter_mut()).find(|(load, _)| load.family == list.family());
            let Some((load, bits)) = table else { continue };
            for nlri in list.iter() {
                match load.number(&nlri).map(|number| &mut bits[number]) {
                    Some(bit) if *bit != here => {
                        *bit = here;
                        self.now = if here { self.now + 1 } else { self.now - 1 };
                    }
                    Some(_) if here => {}
                    _ => self.stray += 1,
                }
            }
        }
    }
}

impl Progress {
    /// Until `done`, or the time is over; the last that was seen.
    fn wait(&self, timeout: Duration, done: impl Fn(&Held) -> bool) -> Held {
        let end = Instant::now() + timeout;
        let mut last = Held::default();
        while let Ok(held) = self.0.recv_timeout(end.saturating_duration_since(Instant::now())) {
            last = held;
            if done(&held) {
                break;
            }
        }
        last
    }
}
