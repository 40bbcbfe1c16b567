//! `sixedge cleanup`: what an agent leaves behind goes.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use srv6_dp::{
    EbpfDataplane,
    ebpf::{Options, PIN_DIR},
};

use crate::{agent::chain, kernel::Kernel};

/// Removes the dataplane, the underlay routes and the policy rules of an agent that was stopped for good: forwarding ends.
///
/// Stopping the agent alone leaves them, so that a restart or an upgrade loses no packet.
#[derive(clap::Args)]
pub(crate) struct Cleanup {
    /// Folder on a bpffs that the agent used.
    #[arg(long, value_name = "FOLDER", default_value = PIN_DIR)]
    pin_dir: PathBuf,
}

impl Cleanup {
    pub(crate) fn run(&self) -> ExitCode {
        match self.dismantle().and_then(|interfaces| Ok((interfaces, remove_routes()?))) {
            Ok((interfaces, routes)) => {
                println!(
                    "detached from {interfaces} interfaces, removed the maps and {routes} underlay routes"
                );
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("sixedge cleanup: {}", chain(error.as_ref()));
                ExitCode::FAILURE
            }
        }
    }

    fn dismantle(&self) -> Result<usize, Box<dyn std::error::Error>> {
        if !self.pin_dir.exists() {
            return Ok(0);
        }
        // Refused while an agent holds it.
        let options = Options { pin_dir: self.pin_dir.clone(), ..Options::default() };
        Ok(EbpfDataplane::open(&options)?.dismantle()?)
    }
}

fn remove_routes() -> Result<usize, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let kernel = Kernel::connect()?;
        let routes = kernel.own_routes().await?;
        for route in &routes {
            kernel.remove_route(route).await?;
        }
        kernel.fence(&BTreeSet::new(), &[]).await?;
        Ok(routes.len())
    })
}
