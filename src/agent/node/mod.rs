//! What the node holds, and what it does when something changes.

mod bgp;
mod kernel;
mod start;

use std::path::PathBuf;

use srv6_dp::{Change, Dataplane, EbpfDataplane, ebpf::Events, model::IfIndex};
use tracing::{error, info, warn};
use vrf_manager::{Desired, Links, Transition, VrfTables, intent::Intent, plan};

use super::{
    AgentError, chain, lingering::Lingering, next_hops::NextHops, numbers::Numbers, restart::Restart,
    underlay::Underlay,
};
use crate::{config, kernel::Kernel};

/// Everything that this node holds.
pub(super) struct Node {
    config: PathBuf,
    kernel: Kernel,
    pub(super) intent: Intent,
    numbers: Numbers,
    links: Links,
    pub(super) dataplane: EbpfDataplane,
    pub(super) tables: VrfTables,
    pub(super) speaker: bgpd::Handle,
    /// Set once at start: a reload must not tell peers another story.
    restart: Restart,
    pub(super) underlay: Underlay,
    pub(super) lingering: Lingering,
    next_hops: NextHops,
    /// The dataplane refused something: what it holds is compared anew until it agrees.
    out_of_step: bool,
    /// The kernel refused a route of the underlay.
    underlay_incomplete: bool,
}

/// What became of a configuration that was read again.
pub(super) enum Reloaded {
    /// It is in force.
    TakenOver,
    /// Why the old one goes on.
    Refused(String),
}

impl Node {
    /// The sample of dropped packets; to be taken once.
    pub(super) fn drop_events(&mut self) -> Result<Option<Events>, AgentError> {
        Ok(self.dataplane.events()?)
    }

    /// The name of an interface of this node.
    pub(super) fn interface(&self, index: IfIndex) -> Option<&str> {
        self.links.0.iter().find(|(_, link)| link.index == index).map(|(name, _)| name.as_str())
    }

    /// Reads the configuration again. A mistake in it leaves everything as it is.
    pub(super) async fn reload(&mut self) -> Result<Reloaded, AgentError> {
        match self.read_again() {
            Ok(intent) => {
                let installed = std::mem::replace(&mut self.intent, intent).bgp.install_unicast;
                self.replan().await?;
                if installed != self.intent.bgp.install_unicast {
                    self.install_anew().await?;
                }
                info!("configuration taken over");
                Ok(Reloaded::TakenOver)
            }
            Err(refusal) => {
                error!("configuration refused, the old one goes on\n{refusal}");
                Ok(Reloaded::Refused(refusal.to_string()))
            }
        }
    }

    /// The configuration as the file has it now, with numbers for all that is in it.
    fn read_again(&mut self) -> Result<Intent, AgentError> {
        let intent = config::load(&self.config)?;
        // The speaker would refuse it, and the rest of the node must not be what the speaker is not.
        let identity = |intent: &Intent| (intent.router.clone(), intent.bgp.cluster_id);
        if identity(&intent) != identity(&self.intent) {
            return Err(AgentError::Identity(self.config.clone()));
        }
        self.numbers.settle(&intent)?;
        Ok(intent)
    }

    /// Whether [`Self::retry`] is due after a while.
    pub(super) const fn wants_retry(&self) -> bool {
        self.out_of_step || self.underlay_incomplete
    }

    /// Compares the kernel and the dataplane as they are with what they should hold.
    pub(super) async fn retry(&mut self) -> Result<(), AgentError> {
        self.reconcile_underlay().await?;
        if !self.out_of_step {
            return Ok(());
        }
        let observed = self.dataplane.observe()?;
        let changes = Change::between(&observed, &self.tables.state());
        info!(changes = changes.len(), "bringing the dataplane back into step");
        self.out_of_step = !apply(&mut self.dataplane, &changes);
        Ok(())
    }

    /// Leaves the dataplane forwarding and, with graceful restart, the routes at the peers.
    pub(super) async fn stop(self) -> Result<(), AgentError> {
        let keep = self.intent.bgp.restart_time.is_some();
        info!(keep, "stopping");
        Ok(self.speaker.shutdown(keep).await?)
    }

    async fn replan(&mut self) -> Result<(), AgentError> {
        let mut desired = plan(&self.intent, &self.links, self.numbers.allocations());
        self.restart.tell(&mut desired.speaker);
        let Transition { withdraw, make, announce, remove, lingers } = self.tables.replan(&desired);
        self.speaker.withdraw(withdraw).await?;
        self.out_of_step |= !apply(&mut self.dataplane, &make);
        if let Err(error) = self.speaker.configure(desired.speaker.clone()).await? {
            error!("{error}");
        }
        self.speaker.announce(announce).await?;
        self.out_of_step |= !apply(&mut self.dataplane, &remove);
        if lingers {
            self.lingering.begin();
        }
        self.report(&desired);
        self.underlay(&desired).await
    }

    /// Other PEs have had time to hear of what was withdrawn or has moved.
    pub(super) fn let_go(&mut self) {
        self.lingering.end();
        let gone = self.tables.let_go();
        if !gone.is_empty() {
            info!(changes = gone.len(), "what was withdrawn or has moved is gone");
            self.out_of_step |= !apply(&mut self.dataplane, &gone);
        }
    }

    fn report(&self, desired: &Desired) {
        for problem in &desired.problems {
            warn!("{problem}");
        }
    }
}

/// Applies changes; `false` where the dataplane refused, which is logged.
fn apply(dataplane: &mut EbpfDataplane, changes: &[Change]) -> bool {
    match dataplane.apply_all(changes) {
        Ok(()) => true,
        Err(error) => {
            error!("{}", chain(&error));
            false
        }
    }
}
