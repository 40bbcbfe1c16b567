//! What the node holds, and what it does when something changes.

mod bgp;
mod kernel;
mod start;

use srv6_dp::{
    Change, Dataplane, EbpfDataplane,
    ebpf::{Events, Fault},
    model::{DataplaneError, IfIndex},
};
use tracing::{error, info, warn};
use vrf_manager::{Desired, Links, Transition, VrfTables, intent::Intent, plan, plan::CircuitState};

use super::{
    AgentError, chain, lingering::Lingering, next_hops::NextHops, numbers::Numbers, restart::Restart,
    underlay::Underlay,
};
use crate::kernel::Kernel;

/// Everything that this node holds.
pub(super) struct Node {
    kernel: Kernel,
    pub(super) intent: Intent,
    numbers: Numbers,
    links: Links,
    /// Names of the core's interfaces.
    core: Vec<String>,
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

/// What became of an intent.
pub(super) enum TakenOver {
    /// It is in force.
    Yes,
    /// Why the old one goes on.
    Refused(AgentError),
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

    /// Puts another intent in force, with numbers for all that is in it. Where they cannot be had, nothing changes.
    pub(super) async fn take_over(&mut self, intent: Intent) -> Result<TakenOver, AgentError> {
        // The speaker would refuse it, and the rest of the node must not be what the speaker is not.
        let identity = |intent: &Intent| (intent.router.clone(), intent.bgp.cluster_id);
        if identity(&intent) != identity(&self.intent) {
            return Ok(TakenOver::Refused(AgentError::Identity));
        }
        if let Err(error) = self.numbers.settle(&intent) {
            return Ok(TakenOver::Refused(error.into()));
        }
        let installed = std::mem::replace(&mut self.intent, intent).bgp.install_unicast;
        self.replan().await?;
        if installed != self.intent.bgp.install_unicast {
            self.install_anew().await?;
        }
        info!("configuration taken over");
        Ok(TakenOver::Yes)
    }

    /// Whether dataplane and kernel hold all that they should.
    pub(super) const fn in_step(&self) -> bool {
        !self.wants_retry()
    }

    /// What of the dataplane is not as this version would have it.
    pub(super) fn faults(&mut self) -> Result<Vec<Fault>, DataplaneError> {
        let core = self.core.iter().filter_map(|name| self.links.get(name));
        let core = core.map(|link| link.index).collect();
        self.dataplane.verify(&core)
    }

    /// Whether the dataplane has an interface as a circuit of a VRF.
    pub(super) fn holds(&self, vrf: &str, interface: &str) -> bool {
        let state = self.tables.circuit_state(vrf, interface);
        !self.out_of_step && matches!(state, Some(CircuitState::Up | CircuitState::Down))
    }

    /// Whether [`Self::retry`] is due after a while.
    pub(super) const fn wants_retry(&self) -> bool {
        self.out_of_step || self.underlay_incomplete
    }

    /// Compares the kernel and the dataplane as they are with what they should hold.
    pub(super) async fn retry(&mut self) -> Result<(), AgentError> {
        self.reconcile_underlay().await?;
        self.come_into_step()
    }

    fn come_into_step(&mut self) -> Result<(), AgentError> {
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
