//! What the CNI plugin is answered: nothing before the dataplane holds it.

use cni::protocol::{Request, Response, code};
use k8s_sync::{
    attachments::{Circuit, Question, Readiness, Seen, Step, decide, not_held},
    render::block,
};
use tokio::sync::oneshot;
use tracing::info;

use super::{Kubernetes, fetched::Answer};
use crate::agent::{AgentError, node::Node};

/// Where an answer goes. Who asked may have gone.
type To = oneshot::Sender<Response>;

impl Kubernetes {
    /// There is no node that could hold a circuit: the runtime tries again.
    pub(super) fn not_yet(&self, (request, answer): Question) {
        let message = self.waiting_for();
        let code = if request == Request::Status { code::NOT_AVAILABLE } else { code::TRY_AGAIN };
        let _gone = answer.send(Response::Refused { code, message });
    }

    pub(super) async fn ask(&mut self, (request, to): Question, node: &mut Node) -> Result<(), AgentError> {
        self.answer(request, to, false, node).await
    }

    /// The pod has come, or is not to be had.
    pub(super) async fn go_on(&mut self, answer: Answer, node: &mut Node) -> Result<(), AgentError> {
        self.fetches.take(&answer);
        self.answer(answer.request, answer.answer, true, node).await
    }

    async fn answer(
        &mut self,
        request: Request,
        to: To,
        fetched: bool,
        node: &mut Node,
    ) -> Result<(), AgentError> {
        let response = match self.decide(&request, fetched, node) {
            Step::Answer(response) => response,
            Step::Fetch(key) => {
                self.fetches.begin(key, request, to);
                return Ok(());
            }
            Step::Verify { circuit, then } => verified(&circuit, then, code::NOT_AS_MADE, None, node),
            Step::Program { circuit, then } => {
                // The interface is younger than what the kernel has told us so far.
                node.look_at_links().await?;
                let refusal = self.reload(node).await?.err();
                match circuit {
                    Some(circuit) => {
                        let why = refusal.or_else(|| self.problem_of(&request));
                        verified(&circuit, then, code::TRY_AGAIN, why.as_deref(), node)
                    }
                    None => then,
                }
            }
        };
        let _gone = to.send(response);
        Ok(())
    }

    fn decide(&mut self, request: &Request, fetched: bool, node: &Node) -> Step {
        let Some(world) = self.world() else {
            let message = self.waiting_for();
            return Step::Answer(Response::Refused { code: code::TRY_AGAIN, message });
        };
        let readiness = match node.in_step() {
            true => Readiness::Ready,
            false => Readiness::Limited(
                "the dataplane does not hold all that it should; see the agent's log".to_owned(),
            ),
        };
        let seen = Seen {
            node: &self.node,
            world: &world,
            fetched,
            readiness: &readiness,
            blocks: &|vrf| block(&world, &self.node, vrf),
            mtu: node.tenants_mtu(),
        };
        decide(request.clone(), &seen, &mut self.attachments)
    }

    /// What is known to be wrong with the pod.
    fn problem_of(&self, request: &Request) -> Option<String> {
        let Request::Attach(attachment) = request else { return None };
        let problems = self.verdict.iter().flat_map(|verdict| &verdict.problems);
        let concerns = |name: &str, namespace: Option<&str>| {
            name == attachment.pod.name && namespace == Some(attachment.pod.namespace.as_str())
        };
        problems
            .filter(|problem| concerns(&problem.object.name, problem.object.namespace.as_deref()))
            .map(|problem| problem.message.clone())
            .next()
    }
}

/// The answer, where the dataplane holds the circuit.
fn verified(circuit: &Circuit, then: Response, code: u32, why: Option<&str>, node: &Node) -> Response {
    if node.holds(&circuit.vrf, &circuit.interface) {
        info!(interface = circuit.interface, vrf = circuit.vrf, "a pod's interface is a circuit");
        then
    } else {
        not_held(circuit, code, why)
    }
}
