//! `sixedge check`: is the configuration file right?

use std::{path::PathBuf, process::ExitCode};

use vrf_manager::intent::Intent;

use crate::config;

/// Reads a configuration file and reports every mistake in it; touches nothing.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// The file.
    #[arg(long, value_name = "FILE", default_value = config::DEFAULT_PATH)]
    config: PathBuf,
}

impl Check {
    pub(crate) fn run(&self) -> ExitCode {
        match config::load(&self.config) {
            Ok(intent) => {
                println!("{}", verdict(&self.config.display().to_string(), &intent));
                ExitCode::SUCCESS
            }
            Err(mistakes) => {
                eprintln!("{mistakes}");
                ExitCode::FAILURE
            }
        }
    }
}

/// As in `pe1.yaml: ok (2 vrfs, 1 neighbor)`.
pub(crate) fn verdict(file: &str, intent: &Intent) -> String {
    let counts = [
        (intent.vrfs.len(), "vrf"),
        (intent.vrfs.iter().map(|vrf| vrf.circuits.len()).sum(), "attachment circuit"),
        (intent.bgp.neighbors.len(), "neighbor"),
        (intent.srv6.locators.len(), "locator"),
    ];
    let counted = |(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    format!("{file}: ok ({})", counts.map(counted).join(", "))
}
