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
    pub(crate) history: History<'a>,
}

/// What has been sent before a measurement.
#[derive(Clone)]
pub(crate) enum History<'a> {
    /// What the measurements before it have sent.
    Whatever,
    /// One packet of each of these flows. All devices share one table of netfilter's: what the others have in it is gone.
    Only(Vec<&'a Generator>),
}

impl Subject<'_> {
    fn measure(&self, ends: &Ends, packets: u32) -> Result<f64, Error> {
        let History::Only(flows) = &self.history else {
            return self.device.measure(ends, self.traffic, packets, &self.name);
        };
        for traffic in flows {
            self.device.send(ends, traffic, traffic.count)?;
        }
        let measured = self.device.measure(ends, self.traffic, packets, &self.name);
        self.device.namespace.run("conntrack -F")?;
        measured
    }
}

/// Nanoseconds for a packet, by subject and round.
pub(crate) fn measure(
    ends: &Ends,
    subjects: &[Subject<'_>],
    options: &Options,
) -> Result<Vec<Vec<f64>>, Error> {
    let once = |subject: &Subject<'_>, packets| subject.measure(ends, packets);
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
