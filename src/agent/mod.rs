//! The node daemon: composes configuration, kernel, dataplane, planner and speaker, and holds no logic of their trades.
//!
//! One task owns the [`Node`] and takes one event at a time: routes from BGP, a changed configuration, a changed
//! interface, a question from the CLI.

mod answer;
mod kubernetes;
mod lingering;
mod next_hops;
mod node;
mod numbers;
mod recent_drops;
mod restart;
mod source;
mod state_file;
mod underlay;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, oneshot},
    time::{Instant, interval, sleep_until},
};

use crate::{
    config,
    control::{self, Request, Response},
    kernel::{Kernel, KernelError},
    logs,
};
use lingering::Lingering;
use node::Node;
use recent_drops::RecentDrops;
use source::{Refusal, Source};
use vrf_manager::intent::Intent;

/// How long to wait before what failed is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Runs the node: BGP, VRFs and the dataplane, as the configuration file says.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Agent {
    /// Configuration file; read again on SIGHUP and when it changes.
    #[arg(long, value_name = "FILE", default_value = config::DEFAULT_PATH, conflicts_with = "kubernetes")]
    config: PathBuf,
    /// Follows the API server of a Kubernetes cluster instead of a file.
    #[arg(long, requires = "node")]
    kubernetes: bool,
    /// Kubernetes: this node's name.
    #[arg(long, value_name = "NAME", env = "SIXEDGE_NODE")]
    node: Option<String>,
    /// Kubernetes: how to reach the API server; as kubectl finds it, or as a pod does, where it is not set.
    #[arg(long, value_name = "FILE", requires = "kubernetes")]
    kubeconfig: Option<PathBuf>,
    /// Kubernetes: namespace that peers' Secrets are in; the pod's own, or the kubeconfig's, where it is not set.
    #[arg(long, value_name = "NAME", requires = "kubernetes")]
    namespace: Option<String>,
    /// Kubernetes: Unix socket that the CNI plugin asks.
    #[arg(long, value_name = "FILE", default_value = cni::protocol::SOCKET)]
    cni_socket: PathBuf,
    /// Where numbers that must not move over restarts are kept.
    #[arg(long, value_name = "FOLDER", default_value = "/var/lib/sixedge")]
    state_dir: PathBuf,
    /// Folder on a bpffs for maps and links, which outlive the agent.
    #[arg(long, value_name = "FOLDER", default_value = srv6_dp::ebpf::PIN_DIR)]
    pin_dir: PathBuf,
    /// Unix socket that `sixedge show` asks.
    #[arg(long, value_name = "FILE", default_value = control::DEFAULT_PATH)]
    socket: PathBuf,
}

/// Why the agent ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AgentError {
    #[error("{0}")]
    Config(#[from] config::ConfigErrors),
    #[error("router.asn, router.routerId and bgp.clusterId cannot change while the agent runs; restart it")]
    Identity,
    #[error(transparent)]
    Kernel(#[from] KernelError),
    #[error("{}", chain(.0))]
    Dataplane(#[from] srv6_dp::model::DataplaneError),
    #[error(transparent)]
    State(#[from] state_file::StateFileError),
    #[error(transparent)]
    Listen(#[from] bgpd::ListenError),
    #[error(transparent)]
    Speaker(#[from] bgpd::Gone),
    #[error(transparent)]
    Control(#[from] control::BindError),
    #[error(transparent)]
    Connect(#[from] k8s_sync::ConnectError),
    #[error(transparent)]
    Attachments(#[from] k8s_sync::attachments::StoreError),
    #[error(transparent)]
    Cni(#[from] k8s_sync::attachments::BindError),
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
}

/// An error with its causes, outermost first.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        // Some layers tell their cause themselves.
        if !text.contains(&inner) {
            text.push_str(": ");
            text.push_str(&inner);
        }
        cause = error.source();
    }
    text
}

/// A question from the CLI and where its answer goes.
type Question = (Request, oneshot::Sender<Response>);

impl Agent {
    pub(crate) fn run(&self) -> ExitCode {
        logs::init();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let ended = match runtime {
            Ok(runtime) => runtime.block_on(self.serve()),
            Err(error) => Err(error.into()),
        };
        match ended {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("sixedge agent: {error}");
                ExitCode::FAILURE
            }
        }
    }

    async fn serve(&self) -> Result<(), AgentError> {
        // First of all: where another agent answers, nothing of its dataplane may be touched.
        let server = control::Server::bind(&self.socket)?;
        let (ask, mut questions) = mpsc::channel(16);
        let serving = server.serve(async |request| relay(&ask, request).await);
        tokio::pin!(serving);
        let mut signals = Signals::new()?;
        let mut source = Source::open(self).await?;
        let mut kernel = Kernel::watch()?;
        let Some(intent) = wait_for(&mut source, &mut serving, &mut questions, &mut signals).await? else {
            return Ok(());
        };
        let (mut node, mut routes) = Node::start(self, intent).await?;
        let mut drops = RecentDrops::new(node.drop_events()?);
        let mut sampled = interval(recent_drops::PERIOD);
        let mut retry_at = None;
        let ended = loop {
            // Whatever happens meanwhile, it does not put the moment off.
            retry_at = node.wants_retry().then(|| retry_at.unwrap_or_else(|| Instant::now() + RETRY));
            let lingers_until = node.lingering.until();
            tokio::select! {
                event = routes.recv() => match event {
                    Some(event) => node.on_bgp(event).await?,
                    None => return Err(bgpd::Gone.into()),
                },
                news = source.next() => match source.hear(news, &mut node).await {
                    Err(AgentError::Identity) => break Err(AgentError::Identity),
                    heard => heard?,
                },
                Some(()) = kernel.recv() => node.on_kernel().await?,
                () = &mut serving => {}
                _ = sampled.tick() => drops.collect(),
                Some((request, answer)) = questions.recv() => {
                    drops.collect();
                    let response = match request {
                        Request::Reload => reloaded(source.reload(&mut node).await?),
                        request => node.answer(request, &drops).await,
                    };
                    // Who asked may have gone.
                    let _gone = answer.send(response);
                }
                () = Lingering::over(lingers_until) => node.let_go(),
                () = sleep_until(retry_at.unwrap_or_else(Instant::now)), if retry_at.is_some() => {
                    retry_at = None;
                    node.retry().await?;
                }
                () = signals.recv() => break Ok(()),
            }
        };
        node.stop().await?;
        ended
    }
}

/// The intent to start with; `None` where the agent is told to end before there is one.
async fn wait_for(
    source: &mut Source,
    serving: &mut (impl Future<Output = ()> + Unpin),
    questions: &mut mpsc::Receiver<Question>,
    signals: &mut Signals,
) -> Result<Option<Intent>, AgentError> {
    loop {
        if let Some(intent) = source.first()? {
            return Ok(Some(intent));
        }
        tokio::select! {
            news = source.next() => source.wait(news),
            () = &mut *serving => {}
            Some((_, answer)) = questions.recv() => {
                let _gone = answer.send(Response::Error(format!("the agent waits: {}", source.waiting_for())));
            }
            () = signals.recv() => return Ok(None),
        }
    }
}

fn reloaded(reloaded: Result<(), Refusal>) -> Response {
    reloaded.map_or_else(Response::Error, |()| Response::Ok("taken over".into()))
}

/// What ends the agent.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Cancel safe.
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Hands a question to the task that owns the node.
async fn relay(ask: &mpsc::Sender<Question>, request: Request) -> Response {
    let (answer, answered) = oneshot::channel();
    let stopping = || Response::Error("the agent is stopping; ask again".to_owned());
    match ask.send((request, answer)).await {
        Ok(()) => answered.await.unwrap_or_else(|_| stopping()),
        Err(_) => stopping(),
    }
}
