//! The intent as Kubernetes has it: what the API server tells and the pods' interfaces of this node, rendered anew when
//! either changes. Whatever the API server does, what it has told last stays in force.

mod attach;
mod closed;
mod fetched;
mod state;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use k8s_sync::{
    attachments::{Attachments, Loaded, Question, Server},
    render::{Inputs, Problem, render},
    status::NodeStateWriter,
    watch::{Options, Sync},
    world::World,
};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval},
};
use tracing::{info, warn};
use vrf_manager::intent::Intent;

use self::{
    fetched::{Answer, Fetches},
    state::{Sessions, Verdict},
};
use super::{
    Agent, AgentError, chain,
    node::{Node, TakenOver},
    source::Refusal,
};

/// How often the NodeState is made anew; it is written when it differs.
const REPORT: Duration = Duration::from_secs(2);

/// How often interfaces that are gone are looked for: a DEL may have found no agent.
const SWEEP: Duration = Duration::from_secs(60);

/// Questions of CNI plugins that wait.
const QUESTIONS: usize = 64;

/// This node in a cluster.
pub(super) struct Kubernetes {
    node: String,
    sync: Sync,
    attachments: Attachments,
    questions: mpsc::Receiver<Question>,
    fetches: Fetches,
    /// What was found out the last time that a world was known.
    verdict: Option<Verdict>,
    /// The last refusal that was logged.
    refused: Option<Problem>,
    writer: NodeStateWriter,
    sessions: Sessions,
    report: Interval,
    sweep: Interval,
}

/// What it has to say.
pub(super) enum News {
    /// The world has changed.
    World,
    /// A CNI plugin asks.
    Asked(Box<Question>),
    /// A pod that was asked for is here, or is not to be had: the question goes on.
    Fetched(Box<Answer>),
    /// It is time to tell how the node is.
    Report,
    /// It is time to look for interfaces that are gone.
    Sweep,
}

impl Kubernetes {
    pub(super) async fn open(options: &Agent, node: &str) -> Result<Self, AgentError> {
        let (client, own_namespace) = k8s_sync::connect(options.kubeconfig.as_deref()).await?;
        let Loaded { attachments, problems } = Attachments::load(&options.state_dir.join("attachments"))?;
        problems.iter().for_each(|problem| warn!("{problem}"));
        let (ask, questions) = mpsc::channel(QUESTIONS);
        // Who asks before there is a node is told so.
        tokio::spawn(Server::bind(&options.cni_socket)?.serve(ask));
        let follow = Options {
            secrets_in: Some(options.namespace.clone().unwrap_or(own_namespace)),
            snapshot: Some(options.state_dir.join("kubernetes.json")),
            ..Options::default()
        };
        let every = |period| {
            let mut ticks = interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        Ok(Self {
            node: node.to_owned(),
            sync: Sync::start(client.clone(), follow),
            writer: NodeStateWriter::new(client.clone(), node),
            fetches: Fetches::new(client),
            attachments,
            questions,
            verdict: None,
            refused: None,
            sessions: Sessions::default(),
            report: every(REPORT),
            sweep: every(SWEEP),
        })
    }

    /// Waits for what it has to say next. Cancel safe.
    pub(super) async fn next(&mut self) -> News {
        tokio::select! {
            // What has gone is let go of before anything is asked, and nobody asks about a world that is out of date.
            biased;
            _ = self.sweep.tick() => News::Sweep,
            () = self.sync.changed() => News::World,
            answer = self.fetches.next() => News::Fetched(Box::new(answer)),
            Some(question) = self.questions.recv() => News::Asked(Box::new(question)),
            _ = self.report.tick() => News::Report,
        }
    }

    /// The intent to start with, once the node is given one.
    pub(super) fn first(&mut self) -> Option<Intent> {
        self.render().and_then(Result::ok)
    }

    /// There is no node yet.
    pub(super) fn wait(&mut self, news: News) {
        match news {
            News::Asked(question) => self.not_yet(*question),
            News::Report => self.tell_waiting(),
            News::World | News::Fetched(_) | News::Sweep => {}
        }
    }

    /// Has the node do what is told.
    pub(super) async fn hear(&mut self, news: News, node: &mut Node) -> Result<(), AgentError> {
        match news {
            News::World => self.reload(node).await.map(drop),
            News::Asked(question) => self.ask(*question, node).await,
            News::Fetched(answer) => self.go_on(*answer, node).await,
            News::Report => {
                self.tell(node).await;
                Ok(())
            }
            News::Sweep => self.let_go_of_the_gone(node).await,
        }
    }

    /// Renders anew, and has the node take it over. Without an intent the last one goes on; without a BgpCluster, nothing.
    pub(super) async fn reload(&mut self, node: &mut Node) -> Result<Result<(), Refusal>, AgentError> {
        let intent = match self.render() {
            None => return Ok(Err("the API server has not told everything yet".to_owned())),
            Some(Ok(intent)) => intent,
            Some(Err(problem)) if self.is_unwanted() => {
                warn!("{problem}: what the node had is withdrawn");
                idle(&node.intent)
            }
            Some(Err(problem)) => {
                self.log_refusal(&problem);
                return Ok(Err(problem.to_string()));
            }
        };
        self.refused = None;
        self.close(&intent, node).await;
        if intent == node.intent {
            return Ok(Ok(()));
        }
        match node.take_over(intent).await? {
            TakenOver::Yes => {
                self.open_again(node).await;
                Ok(Ok(()))
            }
            // The kubelet starts us again, as who we are to be now.
            TakenOver::Refused(error @ AgentError::Identity) => Err(error),
            TakenOver::Refused(error) => {
                warn!("{}; the old configuration goes on", chain(&error));
                Ok(Err(chain(&error)))
            }
        }
    }

    /// What is wanted of this node; `None` where not enough is known to say.
    fn render(&mut self) -> Option<Result<Intent, Problem>> {
        let world = self.world()?;
        let inputs = Inputs { node: &self.node, world: &world, attachments: self.attachments.attached() };
        let mut rendered = render(&inputs);
        rendered.problems.extend(self.sync.unreadable());
        self.log_problems(&rendered.problems);
        self.verdict = Some(Verdict::of(&rendered, &world));
        Some(rendered.intent)
    }

    /// What the API server has told, with the pods that it was asked for since.
    fn world(&mut self) -> Option<Arc<World>> {
        Some(self.fetches.onto(self.sync.world()?))
    }

    /// Nobody wants this node to be a provider edge.
    fn is_unwanted(&self) -> bool {
        self.sync.synced()
            && self.sync.world().is_some_and(|world| !k8s_sync::render::is_wanted(&world, &self.node))
    }

    fn log_problems(&self, now: &[Problem]) {
        let before: BTreeSet<&Problem> = self.verdict.iter().flat_map(|verdict| &verdict.problems).collect();
        for problem in now.iter().filter(|problem| !before.contains(problem)) {
            warn!("{problem}");
        }
    }

    fn log_refusal(&mut self, problem: &Problem) {
        if self.refused.as_ref() != Some(problem) {
            warn!("{problem}; the old configuration goes on");
            self.refused = Some(problem.clone());
        }
    }

    async fn let_go_of_the_gone(&mut self, node: &mut Node) -> Result<(), AgentError> {
        match self.attachments.sweep(|name| node.has_interface(name)) {
            Ok(false) => Ok(()),
            Ok(true) => {
                info!("interfaces of pods are gone without the CNI plugin having told");
                self.reload(node).await.map(drop)
            }
            Err(error) => {
                warn!("{}", chain(&error));
                Ok(())
            }
        }
    }
}

/// The same router with nothing to do.
fn idle(intent: &Intent) -> Intent {
    let mut idle = intent.clone();
    idle.vrfs.clear();
    idle.underlay_routes.clear();
    idle.bgp.neighbors.clear();
    idle.bgp.networks.clear();
    idle
}
