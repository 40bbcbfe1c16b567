//! Our speaker, BIRD and FRR in turn, in one run: a route reflector takes a table from one client and passes it on to
//! another.

mod target;

use std::{io, net::IpAddr, path::PathBuf};

use comfy_table::{Table, presets::ASCII_MARKDOWN};

use crate::{
    folder::Folder,
    load::{self, Figures, Load, SessionError},
    namespace::{CommandError, Namespace},
    statistics::{median, median_ratio, minimum},
};
use target::{Place, Sessions, Target};

/// Options.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Our program.
    #[arg(long)]
    sixedge: PathBuf,
    /// How often each speaker is measured.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Divides the number of routes, for a quick look.
    #[arg(long, default_value_t = 1)]
    scale: usize,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpeakerError {
    #[error("{}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{target} does not listen: {source}; it was started as: {line}")]
    Silent { target: &'static str, line: String, source: io::Error },
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("{target}, round {round}: {source}")]
    Session { target: &'static str, round: usize, source: SessionError },
    #[error("{0}")]
    Incomplete(String),
}

/// A table to be reflected, and the sessions that it goes through.
struct Case {
    title: &'static str,
    loads: Vec<Load>,
    addresses: [&'static str; 3],
}

fn cases(scale: usize) -> [Case; 2] {
    let load = |family, count: usize| Load { family, count: count / scale };
    use bgp_wire::Family::{Ipv4Unicast, Vpnv4, Vpnv6};
    [
        Case {
            title: "IPv4 unicast",
            loads: vec![load(Ipv4Unicast, 500_000)],
            addresses: ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        },
        Case {
            title: "VPNv4 and VPNv6 with SRv6 SIDs, one half each",
            loads: vec![load(Vpnv4, 200_000), load(Vpnv6, 200_000)],
            addresses: ["fd00::1", "fd00::2", "fd00::3"],
        },
    ]
}

/// Measures all speakers on all tables. An incomplete table is an error, except for FRR's known loss of a stream's tail,
/// which is told.
pub(crate) fn run(options: &Options, folder: &Folder) -> Result<(), SpeakerError> {
    let namespace = Namespace::new("speaker")?;
    for number in 1..=3 {
        namespace.run(&format!("ip address add 10.0.0.{number}/32 dev lo"))?;
        namespace.run(&format!("ip -6 address add fd00::{number}/128 dev lo nodad"))?;
    }
    let place = Place { namespace: &namespace, folder, sixedge: &options.sixedge };
    cases(options.scale).iter().try_for_each(|case| measure(case, &place, options.rounds))
}

fn measure(case: &Case, place: &Place<'_>, rounds: usize) -> Result<(), SpeakerError> {
    let routes: usize = case.loads.iter().map(|load| load.count).sum();
    println!("\n{}: {routes} routes, 10 to an attribute set, {rounds} rounds in turn\n", case.title);
    let mut figures = Target::ALL.map(|_| Vec::new());
    for round in 1..=rounds {
        for (target, figures) in Target::ALL.into_iter().zip(&mut figures) {
            let figure = once(target, case, place).map_err(|failed| failed.in_round(target.name(), round))?;
            if figure.complete() {
                figures.push(figure);
            } else {
                tell_incomplete(target, round, &figure)?;
            }
        }
    }
    println!("{}", table(&figures));
    Ok(())
}

/// What one measurement can fail of.
enum Failed {
    Speaker(SpeakerError),
    Session(SessionError),
}

impl Failed {
    fn in_round(self, target: &'static str, round: usize) -> SpeakerError {
        match self {
            Self::Speaker(error) => error,
            Self::Session(source) => SpeakerError::Session { target, round, source },
        }
    }
}

fn once(target: Target, case: &Case, place: &Place<'_>) -> Result<Figures, Failed> {
    let [own, sender, receiver] = case.addresses.map(address);
    let sessions = Sessions {
        target: own,
        clients: [sender, receiver],
        families: case.loads.iter().map(|load| load.family).collect(),
    };
    let daemon = target.start(place, &sessions).map_err(Failed::Speaker)?;
    let options = load::Options {
        target: sessions.address(),
        sender,
        receiver,
        routes: case.loads.clone(),
        per_set: 10,
        pid: Some(daemon.pid()),
        timeout: 60,
    };
    let loaded = place.namespace.enter(|| load::run(&options));
    loaded.map_err(|error| Failed::Speaker(error.into()))?.map_err(Failed::Session)
}

/// Addresses of the benchmark, which are constants.
fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST))
}

fn tell_incomplete(target: Target, round: usize, figure: &Figures) -> Result<(), SpeakerError> {
    let Figures { routes, held, left, stray, .. } = figure;
    let what = format!(
        "{}, round {round}: {held} of {routes} routes came through, {left} were left after the withdrawal, {stray} stray",
        target.name()
    );
    if target != Target::Frr {
        return Err(SpeakerError::Incomplete(what));
    }
    println!("{what}: FRR is known to leave the tail of a fast stream unread; the round does not count");
    Ok(())
}

/// How a figure is taken out of all of them.
type Figure = fn(&Figures) -> f64;

/// The figures of one speaker, by the name of the column.
const COLUMNS: [(&str, Figure); 6] = [
    ("load s", |f| f.load_s),
    ("CPU s", |f| f.load_cpu_s.unwrap_or(f64::NAN)),
    ("peak MB", |f| f.peak_mb.unwrap_or(f64::NAN)),
    ("octets/route", |f| f.octets_per_route.unwrap_or(f64::NAN)),
    ("withdraw s", |f| f.withdraw_s),
    ("UPDATEs out", |f| f.updates as f64),
];

/// One row per speaker, each cell a minimum and a median; loads also as the ratio to ours, round by round.
fn table(figures: &[Vec<Figures>; 3]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    let names = COLUMNS.iter().map(|(name, _)| *name);
    table.set_header(["speaker"].into_iter().chain(names).chain(["load / ours", "CPU / ours"]));
    let column = |figures: &[Figures], of: Figure| figures.iter().map(of).collect::<Vec<_>>();
    for (target, rounds) in Target::ALL.into_iter().zip(figures) {
        let mut row = vec![target.name().to_owned()];
        row.extend(COLUMNS.iter().map(|(_, of)| cell(&column(rounds, *of))));
        for (_, of) in &COLUMNS[..2] {
            row.push(format!("{:.2}", median_ratio(&column(rounds, *of), &column(&figures[0], *of))));
        }
        table.add_row(row);
    }
    table
}

/// Minimum and median; one of them where they are the same.
fn cell(values: &[f64]) -> String {
    let shown = |value: f64| if value < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") };
    let (least, middle) = (shown(minimum(values)), shown(median(values)));
    if least == middle { least } else { format!("{least} ({middle})") }
}
