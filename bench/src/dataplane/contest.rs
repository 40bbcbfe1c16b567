//! Subjects measured in turn, A B C A B C, so that what the machine does meanwhile hits all alike.

use comfy_table::{Table, presets::ASCII_MARKDOWN};

use super::{
    DataplaneBenchError as Error, Options,
    device::{Device, Ends},
    generator::Generator,
};
use crate::statistics::{median, median_ratio, minimum};

/// Packets sent before the first round, for neighbours, caches and page pools.
const WARM_UP: u32 = 20_000;

/// A device and the traffic that it gets.
pub(crate) struct Subject<'a> {
    pub(crate) name: String,
    pub(crate) device: &'a Device,
    pub(crate) traffic: &'a Generator,
    /// Netfilter forgets its flows before each measurement.
    pub(crate) forgets: bool,
}

/// Nanoseconds for a packet, by subject and round.
pub(crate) fn measure(
    ends: &Ends,
    subjects: &[Subject<'_>],
    options: &Options,
) -> Result<Vec<Vec<f64>>, Error> {
    let once = |subject: &Subject<'_>, packets| {
        if subject.forgets {
            subject.device.namespace.run("conntrack -F")?;
        }
        subject.device.measure(ends, subject.traffic, packets, &subject.name)
    };
    for subject in subjects {
        once(subject, WARM_UP)?;
    }
    let mut samples = vec![Vec::new(); subjects.len()];
    for _ in 0..options.rounds {
        for (subject, samples) in subjects.iter().zip(&mut samples) {
            samples.push(once(subject, options.packets)?);
        }
    }
    Ok(samples)
}

/// One row per subject; the ratio is that to the subject with the number in `base`, round by round.
pub(crate) fn table(subjects: &[Subject<'_>], samples: &[Vec<f64>], base: &[usize], over: &str) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["subject", "ns, minimum", "ns, median", &format!("median of ratios to {over}")]);
    for ((subject, mine), base) in subjects.iter().zip(samples).zip(base) {
        table.add_row([
            subject.name.clone(),
            format!("{:.0}", minimum(mine)),
            format!("{:.0}", median(mine)),
            format!("{:.2}", median_ratio(mine, &samples[*base])),
        ]);
    }
    table
}

/// One row per way, one column per size; ratios are to the first way at the same size. The subject of way w and size s
/// has the number `w * sizes.len() + s`.
pub(crate) fn grid(ways: &[&str], sizes: &[usize], samples: &[Vec<f64>]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    let growth = sizes.first().zip(sizes.last()).map(|(first, last)| format!("{last} / {first}"));
    let sizes = sizes.iter().map(usize::to_string);
    table.set_header(std::iter::once("ns, median (of ratios)".to_owned()).chain(sizes).chain(growth));
    let rows = samples.chunks(samples.len() / ways.len());
    let base = rows.clone().next().unwrap_or_default();
    for (way, row) in ways.iter().zip(rows) {
        let cell = |(mine, base): (&Vec<f64>, &Vec<f64>)| {
            format!("{:.0} ({:.2})", median(mine), median_ratio(mine, base))
        };
        let growth = row.first().zip(row.last()).map(|(first, last)| median_ratio(last, first));
        let cells = row.iter().zip(base).map(cell).chain(growth.map(|ratio| format!("{ratio:.2}")));
        table.add_row(std::iter::once((*way).to_owned()).chain(cells));
    }
    table
}
