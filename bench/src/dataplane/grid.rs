//! Ways to do the same thing, each in several sizes.

use std::time::Instant;

use comfy_table::{Table, presets::ASCII_MARKDOWN};

use super::{
    DataplaneBenchError as Error, Options,
    contest::{self, History, Subject},
    device::{Device, Ends},
    generator::Generator,
};
use crate::{
    folder::Folder,
    statistics::{median, median_ratio},
};

/// Makes a device that does it in a size.
pub(crate) type Become = fn(&mut Device, &Folder, usize) -> Result<(), Error>;
/// A name and how it is done.
pub(crate) type Way = (&'static str, Become);

/// A device for each way and size.
pub(crate) struct Grid<'a> {
    ways: &'a [Way],
    sizes: &'a [usize],
    /// What there is more and more of.
    unit: &'static str,
    ends: Ends,
    /// Way after way.
    devices: Vec<Device>,
}

impl<'a> Grid<'a> {
    pub(crate) fn new(
        ways: &'a [Way],
        sizes: &'a [usize],
        unit: &'static str,
        folder: &Folder,
    ) -> Result<Self, Error> {
        let (ends, mut devices) = (Ends::new()?, Vec::new());
        for (name, become_it) in ways {
            for size in sizes {
                let mut device = Device::new(&ends, devices.len())?;
                let start = Instant::now();
                become_it(&mut device, folder, *size)?;
                if Some(size) == sizes.last() {
                    println!("{name}: loaded with {size} {unit} in {:.2} s", start.elapsed().as_secs_f64());
                }
                devices.push(device);
            }
        }
        Ok(Self { ways, sizes, unit, ends, devices })
    }

    /// Measures all devices in turn, each with the traffic of its size, or of its way and size, and prints the table;
    /// the samples by device.
    pub(crate) fn contest<'t>(
        &'t self,
        title: &str,
        traffic: &[(&'t Generator, History<'t>)],
        options: &Options,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let unit = self.unit;
        let names = self
            .ways
            .iter()
            .flat_map(|(way, _)| self.sizes.iter().map(move |n| format!("{way}, {n} {unit}")));
        let subjects = names.zip(&self.devices).zip(traffic.iter().cycle());
        let subjects = subjects.map(|((name, device), (traffic, history))| Subject {
            name,
            device,
            traffic,
            history: history.clone(),
        });
        let samples = contest::measure(&self.ends, &subjects.collect::<Vec<_>>(), options)?;
        println!("\n{title}: CPU per packet by number of {unit}, {} rounds\n", options.rounds);
        println!("{}", self.table(&samples));
        Ok(samples)
    }

    /// Ratios are to the first way in the same size, and in the last column to the smallest size.
    fn table(&self, samples: &[Vec<f64>]) -> Table {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        let sizes = self.sizes.iter().map(usize::to_string);
        let ends = self.sizes.first().zip(self.sizes.last()).map(|(first, last)| format!("{last} / {first}"));
        table.set_header(std::iter::once("ns, median (ratio)".to_owned()).chain(sizes).chain(ends));
        for ((name, _), row) in self.ways.iter().zip(samples.chunks(self.sizes.len())) {
            let cell = |(mine, first): (&Vec<f64>, &Vec<f64>)| {
                format!("{:.0} ({:.2})", median(mine), median_ratio(mine, first))
            };
            let growth = row.first().zip(row.last()).map(|(first, last)| median_ratio(last, first));
            let cells = row.iter().zip(samples).map(cell);
            let cells = cells.chain(growth.map(|ratio| format!("{ratio:.2}")));
            table.add_row(std::iter::once((*name).to_owned()).chain(cells));
        }
        table
    }
}
