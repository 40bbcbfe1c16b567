use std::path::PathBuf;

use bgp_core::rib::UnicastRoute;
use bgpd::{Event, RouteChange};
use ipnet::IpNet;
use srv6_dp::{
    Change, Dataplane, EbpfDataplane,
    ebpf::{Events, Options},
    model::IfIndex,
};
use tokio::sync::mpsc;
use tracing::{error, info, warn};
use vrf_manager::{Desired, Links, Transition, VrfTables, intent::Intent, plan};

use super::{
    Agent, AgentError, chain,
    lingering::Lingering,
    next_hops::{NextHops, Which},
    numbers::Numbers,
    restart::Restart,
    state_file::StateFile,
    underlay::{Hop, Underlay},
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
    underlay: Underlay,
    pub(super) lingering: Lingering,
    next_hops: NextHops,
    /// The dataplane refused something: what it holds is compared anew until it agrees.
    out_of_step: bool,
    /// The kernel refused a route of the underlay.
    underlay_incomplete: bool,
}

impl Node {
    /// Takes over what an earlier life has left, and brings it to what the configuration says.
    pub(super) async fn start(options: &Agent) -> Result<(Self, mpsc::Receiver<Event>), AgentError> {
        let intent = config::load(&options.config)?;
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
            config: options.config.clone(),
            kernel,
            intent,
            numbers,
            links,
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

    /// The sample of dropped packets; to be taken once.
    pub(super) fn drop_events(&mut self) -> Result<Option<Events>, AgentError> {
        Ok(self.dataplane.events()?)
    }

    /// The name of an interface of this node.
    pub(super) fn interface(&self, index: IfIndex) -> Option<&str> {
        self.links.0.iter().find(|(_, link)| link.index == index).map(|(name, _)| name.as_str())
    }

    /// Reads the configuration again. A mistake in it leaves everything as it is.
    pub(super) async fn reload(&mut self) -> Result<(), AgentError> {
        match self.read_again() {
            Ok(intent) => {
                self.intent = intent;
                self.replan().await?;
                info!("configuration taken over");
            }
            Err(refusal) => error!("configuration refused, the old one goes on\n{refusal}"),
        }
        Ok(())
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

    /// An interface, an address or a route of the kernel came, went or changed.
    pub(super) async fn on_kernel(&mut self) -> Result<(), AgentError> {
        let links = self.kernel.links().await?;
        if links == self.links {
            self.reconcile_underlay().await?;
        } else {
            self.links = links;
            match self.dataplane.sweep() {
                Ok(gone) if gone.is_empty() => {}
                // What hung on it has left the maps already.
                Ok(_) => self.out_of_step = true,
                Err(error) => warn!("{}", chain(&error)),
            }
            self.replan().await?;
        }
        Ok(())
    }

    /// Takes what the speaker tells.
    pub(super) async fn on_bgp(&mut self, event: Event) -> Result<(), AgentError> {
        match event {
            Event::Routes(changes) => self.learn(changes).await?,
            Event::NextHops(uses) => {
                self.next_hops.note(&uses);
                self.look_up_next_hops(Which::New).await?;
            }
            Event::RestartComplete => self.sweep().await,
            // Told to the log by the speaker.
            Event::PeerUp { .. } | Event::PeerDown { .. } | Event::EndOfRib { .. } => {}
        }
        Ok(())
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
        self.let_go();
        let Transition { withdraw, make, announce, remove, linger } = self.tables.replan(&desired);
        self.speaker.withdraw(withdraw).await?;
        self.out_of_step |= !apply(&mut self.dataplane, &make);
        if let Err(error) = self.speaker.configure(desired.speaker.clone()).await? {
            error!("{error}");
        }
        self.speaker.announce(announce).await?;
        self.out_of_step |= !apply(&mut self.dataplane, &remove);
        self.lingering.hold(linger);
        self.report(&desired);
        self.underlay(&desired).await
    }

    /// Other PEs have had time to hear of new SIDs: the old ones go.
    pub(super) fn let_go(&mut self) {
        let gone = self.lingering.take();
        if !gone.is_empty() {
            info!("SIDs that have moved are not listened to any more");
            self.out_of_step |= !apply(&mut self.dataplane, &gone);
        }
    }

    async fn learn(&mut self, routes: Vec<RouteChange>) -> Result<(), AgentError> {
        let mut changes = Vec::new();
        let mut installed = false;
        for route in routes {
            match route {
                RouteChange::Vrf(route) => changes.extend(self.tables.learn(&route)),
                RouteChange::Unicast(route) if self.intent.bgp.install_unicast => {
                    self.install(route).await;
                    installed = true;
                }
                RouteChange::Unicast(_) => {}
            }
        }
        self.out_of_step |= !apply(&mut self.dataplane, &changes);
        // The kernel does not tell us of what we install ourselves.
        if installed { self.look_up_next_hops(Which::All).await } else { Ok(()) }
    }

    async fn install(&mut self, route: UnicastRoute) {
        let Ok(prefix) = IpNet::try_from(route.prefix) else { return };
        let via = route.path.map(|path| path.next_hop);
        if let Err(error) = self.underlay.set_bgp(prefix, via).await {
            warn!("{}", chain(&error));
        }
    }

    /// BGP has told all it knows: what it has not confirmed goes, and maps of a new layout are filled.
    async fn sweep(&mut self) {
        let changes = self.tables.sweep();
        info!(removed = changes.len(), "routes from before the restart that nobody confirmed");
        self.out_of_step |= !apply(&mut self.dataplane, &changes);
        if let Err(error) = self.dataplane.commit() {
            error!("{}", chain(&error));
        }
        for error in self.underlay.sweep().await {
            warn!("{}", chain(&error));
        }
    }

    async fn underlay(&mut self, desired: &Desired) -> Result<(), AgentError> {
        let core = self.intent.srv6.core_interfaces.clone();
        self.underlay.set_domain(desired.dataplane.node.domain.clone(), core);
        let routes = desired.underlay.iter().map(|route| {
            let ifindex =
                route.interface.as_deref().and_then(|name| self.links.get(name)).map(|link| link.index.0);
            (route.prefix, Hop { via: route.via, ifindex })
        });
        self.underlay.set_static(routes);
        self.reconcile_underlay().await
    }

    async fn reconcile_underlay(&mut self) -> Result<(), AgentError> {
        let problems = self.underlay.reconcile().await;
        // Told once, and not every time that it is tried again.
        if !self.underlay_incomplete {
            problems.iter().for_each(|error| warn!("{}; it is tried again", chain(error)));
        } else if problems.is_empty() {
            info!("every underlay route is in the kernel now");
        }
        self.underlay_incomplete = !problems.is_empty();
        self.look_up_next_hops(Which::All).await
    }

    /// Tells the speaker which next hops there is a way to.
    async fn look_up_next_hops(&mut self, which: Which) -> Result<(), AgentError> {
        let verdicts = self.next_hops.look_up(which, &self.links, !self.underlay_incomplete).await;
        if !verdicts.is_empty() {
            self.speaker.set_next_hops(verdicts).await?;
        }
        Ok(())
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
