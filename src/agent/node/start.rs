//! From nothing, or from what an earlier life has left, to a node that runs.

use bgpd::Event;
use srv6_dp::{Dataplane, EbpfDataplane, ebpf::Options};
use tokio::sync::mpsc;
use tracing::info;
use vrf_manager::{VrfTables, intent::Intent, plan};

use super::{Node, apply};
use crate::{
    agent::{
        Agent, AgentError, lingering::Lingering, next_hops::NextHops, numbers::Numbers, restart::Restart,
        state_file::StateFile, underlay::Underlay,
    },
    kernel::Kernel,
};

impl Node {
    /// Takes over what an earlier life has left, and brings it to what is wanted.
    pub(in crate::agent) async fn start(
        options: &Agent,
        intent: Intent,
    ) -> Result<(Self, mpsc::Receiver<Event>), AgentError> {
        let kernel = Kernel::connect()?;
        let links = kernel.links().await?;
        let mut dataplane =
            EbpfDataplane::open(&Options { pin_dir: options.pin_dir.clone(), ..Options::default() })?;
        let observed = dataplane.observe()?;
        let state_file = StateFile::new(options.state_dir.join("allocations.json"));
        let numbers = Numbers::start(state_file, &intent, &links, &observed)?;
        let mut desired = plan(&intent, &links, numbers.allocations());
        let restart = Restart::found(&mut dataplane, &observed.core)?;
        info!(opened = ?dataplane.opened(), ?restart, routes = observed.routes.len(), "dataplane open");
        let mut tables = VrfTables::adopt(observed);
        let transition = tables.replan(&desired);
        let mut out_of_step = !apply(&mut dataplane, &transition.make);
        restart.tell(&mut desired.speaker);
        let (speaker, events) = bgpd::spawn(desired.speaker.clone())?;
        speaker.announce(transition.announce).await?;
        out_of_step |= !apply(&mut dataplane, &transition.remove);
        let underlay = Underlay::adopt(kernel.clone()).await?;
        let next_hops = NextHops::new(kernel.clone());
        let mut node = Self {
            kernel,
            intent,
            numbers,
            links,
            core: Vec::new(),
            dataplane,
            tables,
            speaker,
            restart,
            underlay,
            lingering: Lingering::default(),
            next_hops,
            out_of_step,
            underlay_incomplete: false,
        };
        node.report(&desired);
        node.underlay(&desired).await?;
        if desired.speaker.graceful_restart.is_none() || !restart.restarted {
            node.sweep().await;
        }
        Ok((node, events))
    }
}
