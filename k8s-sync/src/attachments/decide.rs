//! What the plugin is answered: from the world and the attachments alone.

use std::net::IpAddr;

use cni::protocol::{
    Attachment, AttachmentId, PodRef, Request, Reservation, Response, code, host_interface, is_interface,
};
use ipnet::IpNet;

use super::{
    gateway,
    membership::{Membership, key, membership},
    refusal::Refusal,
    store::{Attachments, Kept, Released, Reserved},
};
use crate::{
    render::{Attached, Problem},
    world::{Key, World},
};

/// What a decision is made from.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The node.
    pub node: &'a str,
    /// What the API server has told.
    pub world: &'a World,
    /// The API server was asked for this pod and its namespace since: what is not in the world is not to be had.
    pub fetched: bool,
    /// Whether the agent can serve ADD.
    pub readiness: &'a Readiness,
    /// The node's blocks of a VRF's pod network, as [`crate::render::block`] has them.
    pub blocks: &'a dyn Fn(&str) -> Result<Vec<IpNet>, Problem>,
    /// MTU for pods, octets: what goes into the outer header fits the core.
    pub mtu: u32,
}

/// Whether the agent can serve ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// Not yet, and why: what it knows of the cluster is not whole, or the dataplane is not there.
    NotYet(String),
    /// Pods that are there may have limited connectivity, and why.
    Limited(String),
}

/// What the agent does about a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Answers.
    Answer(Response),
    /// The attachments have changed: plans and applies, then answers. Where `circuit` names an interface that the dataplane does not
    /// hold in `vrf` then, [`not_held`] is the answer instead.
    Program {
        /// Interface and VRF.
        circuit: Option<Circuit>,
        /// The answer.
        then: Response,
    },
    /// Looks whether the dataplane holds the circuit; [`not_held`] is the answer where it does not.
    Verify {
        /// Interface and VRF.
        circuit: Circuit,
        /// The answer.
        then: Response,
    },
    /// The API server has not told of the pod or its namespace as the runtime knows it: asks it for both, and decides again with
    /// [`Seen::fetched`], whether it answered or not.
    Fetch(Key),
}

/// A circuit that the dataplane should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circuit {
    /// The node's end.
    pub interface: String,
    /// The VRF.
    pub vrf: String,
}

/// The answer where the dataplane does not hold a circuit that it should hold. `problem` is what is known of why.
pub fn not_held(circuit: &Circuit, code: u32, problem: Option<&str>) -> Response {
    let Circuit { interface, vrf } = circuit;
    let why = problem.unwrap_or("see the conditions of the Vrf, and the agent's log");
    Response::Refused { code, message: format!("{interface} is not a circuit of VRF {vrf}: {why}") }
}

/// Decides, and has the attachments changed on disk where that is the decision.
pub fn decide(request: Request, seen: &Seen<'_>, attachments: &mut Attachments) -> Step {
    let decided = match request {
        Request::Reserve { id, network, pod } => reserve(id, network, pod, seen, attachments),
        Request::Attach(attachment) => attach(attachment, seen, attachments),
        Request::Detach(id) => detach(&id, attachments),
        Request::Check(attachment) => check(&attachment, seen, attachments),
        Request::Status => Ok(Step::Answer(status(seen.readiness))),
        Request::Retain { network, valid } => retain(&network, &valid, attachments),
    };
    decided.unwrap_or_else(|refusal| {
        Step::Answer(Response::Refused { code: refusal.code(), message: refusal.to_string() })
    })
}

fn reserve(
    id: AttachmentId,
    network: String,
    pod: PodRef,
    seen: &Seen<'_>,
    attachments: &mut Attachments,
) -> Result<Step, Refusal> {
    id.check()?;
    let vrf = match membership(&pod, seen)? {
        Membership::In(vrf) => vrf,
        Membership::NotOurs => return Ok(Step::Answer(Response::NotOurs)),
        Membership::Fetch(key) => return Ok(Step::Fetch(key)),
    };
    let blocks = blocks(vrf, seen)?;
    let host_interface = host_interface(&id);
    let answer = |addresses: &[IpAddr]| {
        let addresses = addresses.iter().map(|address| IpNet::from(*address)).collect();
        let gateways = blocks.iter().filter_map(gateway).collect();
        let vrf = vrf.to_owned();
        Response::Reserved(Reservation { vrf, addresses, gateways, mtu: seen.mtu, host_interface })
    };
    let same = |kept: &Kept<'_>| kept.vrf == vrf && *kept.pod == pod && is_of(kept.addresses, &blocks);
    if let Some(kept) = attachments.kept(&id).filter(same) {
        return Ok(Step::Answer(answer(kept.addresses)));
    }
    let ask = Reserved { id, network, pod, vrf: vrf.to_owned(), addresses: Vec::new() };
    let changed = attachments.release(&ask.id)?;
    let kept = answer(&attachments.reserve(ask, &blocks)?.addresses);
    Ok(after(changed, kept))
}

/// The node's blocks, one of each range.
fn blocks(vrf: &str, seen: &Seen<'_>) -> Result<Vec<IpNet>, Refusal> {
    let blocks = (seen.blocks)(vrf).map_err(Refusal::NoBlock)?;
    if blocks.is_empty() { Err(Refusal::NoPodNetwork(vrf.to_owned())) } else { Ok(blocks) }
}

fn is_of(addresses: &[IpAddr], blocks: &[IpNet]) -> bool {
    addresses.len() == blocks.len() && addresses.iter().zip(blocks).all(|(it, block)| block.contains(it))
}

fn attach(attachment: Attachment, seen: &Seen<'_>, attachments: &mut Attachments) -> Result<Step, Refusal> {
    attachment.id.check()?;
    let vrf = match membership(&attachment.pod, seen)? {
        Membership::In(vrf) => vrf.to_owned(),
        Membership::NotOurs => return Ok(after(attachments.release(&attachment.id)?, Response::NotOurs)),
        Membership::Fetch(key) => return Ok(Step::Fetch(key)),
    };
    has_hosts(&attachment)?;
    if attachment.reserved {
        is_reserved(&attachment, &vrf, attachments)?;
    }
    displace(&attachment, &vrf, attachments)?;
    let circuit = Circuit { interface: attachment.host_interface.clone(), vrf: vrf.clone() };
    attachments.attach(Attached { vrf: vrf.clone(), attachment })?;
    Ok(Step::Program { circuit: Some(circuit), then: Response::Attached { mtu: seen.mtu, vrf } })
}

fn has_hosts(attachment: &Attachment) -> Result<(), Refusal> {
    let no_host = |it: &&IpAddr| it.is_unspecified() || it.is_loopback() || it.is_multicast();
    if !is_interface(&attachment.host_interface) {
        return Err(Refusal::NoHost(format!("{:?} is not an interface's name", attachment.host_interface)));
    }
    if attachment.addresses.is_empty() {
        return Err(Refusal::NoHost("the pod's interface has no address".to_owned()));
    }
    match attachment.addresses.iter().find(no_host) {
        Some(address) => Err(Refusal::NoHost(format!("{address} is no pod's address"))),
        None => Ok(()),
    }
}

fn is_reserved(attachment: &Attachment, vrf: &str, attachments: &Attachments) -> Result<(), Refusal> {
    let same = |kept: &Kept<'_>| kept.vrf == vrf && kept.addresses == attachment.addresses;
    let kept = attachments.kept(&attachment.id).filter(same);
    kept.map(drop).ok_or_else(|| Refusal::NotReserved(vrf.to_owned()))
}

/// Another attachment of the same interface name is one whose interface has gone, and so is an older one of the same pod. Any
/// other that has one of the addresses keeps it: two pods of a VRF with one address would each get the other's packets.
fn displace(new: &Attachment, vrf: &str, attachments: &mut Attachments) -> Result<(), Refusal> {
    let others = attachments.attached().values().filter(|it| it.attachment.id != new.id);
    let mut gone = Vec::new();
    for Attached { vrf: of, attachment: old } in others {
        let shared = new.addresses.iter().find(|it| of == vrf && old.addresses.contains(it));
        let older = key(&old.pod) == key(&new.pod) && old.id.interface == new.id.interface;
        match shared {
            _ if old.host_interface == new.host_interface => gone.push(old.id.clone()),
            Some(_) if older => gone.push(old.id.clone()),
            Some(address) => {
                let (address, vrf, holder) = (*address, vrf.to_owned(), key(&old.pod));
                return Err(Refusal::Taken { address, vrf, holder });
            }
            None => {}
        }
    }
    gone.iter().try_for_each(|id| attachments.release(id).map(drop))?;
    Ok(())
}

fn detach(id: &AttachmentId, attachments: &mut Attachments) -> Result<Step, Refusal> {
    id.check()?;
    Ok(after(attachments.release(id)?, Response::Done))
}

fn check(found: &Attachment, seen: &Seen<'_>, attachments: &Attachments) -> Result<Step, Refusal> {
    found.id.check()?;
    let Some(Attached { vrf, attachment: made }) = attachments.attached().get(&found.id) else {
        return unattached(found, seen);
    };
    let different = |what: &str| Err(Refusal::NotAsMade(format!("{what} not what it was")));
    if key(&made.pod) != key(&found.pod) {
        return different("the pod is");
    }
    if made.host_interface != found.host_interface {
        return different("the node's end of the interface is");
    }
    if made.addresses != found.addresses {
        return different("the addresses are");
    }
    let circuit = Circuit { interface: made.host_interface.clone(), vrf: vrf.clone() };
    Ok(Step::Verify { circuit, then: Response::Done })
}

/// Right for a pod that is in no VRF.
fn unattached(found: &Attachment, seen: &Seen<'_>) -> Result<Step, Refusal> {
    match membership(&found.pod, seen)? {
        Membership::NotOurs => Ok(Step::Answer(Response::NotOurs)),
        Membership::Fetch(key) => Ok(Step::Fetch(key)),
        Membership::In(vrf) => {
            Err(Refusal::NotAsMade(format!("it is not attached, but the pod is selected by Vrf {vrf}")))
        }
    }
}

fn status(readiness: &Readiness) -> Response {
    let refused = |code, why: &String| Response::Refused { code, message: why.clone() };
    match readiness {
        Readiness::Ready => Response::Done,
        Readiness::NotYet(why) => refused(code::NOT_AVAILABLE, why),
        Readiness::Limited(why) => refused(code::LIMITED, why),
    }
}

fn retain(network: &str, valid: &[AttachmentId], attachments: &mut Attachments) -> Result<Step, Refusal> {
    let reserved = attachments.reserved().values().map(|it| (&it.id, &it.network));
    let attached = attachments.attached().values().map(|it| (&it.attachment.id, &it.attachment.network));
    let gone = attached.chain(reserved).filter(|(id, of)| *of == network && !valid.contains(id));
    let gone: Vec<_> = gone.map(|(id, _)| id.clone()).collect();
    let mut released = Released::Nothing;
    for id in &gone {
        released = released.max(attachments.release(id)?);
    }
    Ok(after(released, Response::Released { ids: gone }))
}

/// What went matters to the dataplane where it was a circuit.
fn after(released: Released, then: Response) -> Step {
    match released {
        Released::Circuit => Step::Program { circuit: None, then },
        Released::Reservation | Released::Nothing => Step::Answer(then),
    }
}
