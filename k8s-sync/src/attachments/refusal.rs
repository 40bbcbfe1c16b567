use std::net::IpAddr;

use cni::protocol::{BadId, code};

use super::store::StoreError;
use crate::{
    render::{Ambiguous, Problem},
    world::Key,
};

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Id(#[from] BadId),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}; try again")]
    NotYet(String),
    #[error("the API server tells of no pod {0}, or of no namespace of it; try again when it does")]
    NoPod(Key),
    #[error("pod {0}: {1}")]
    Ambiguous(Key, Ambiguous),
    #[error(
        "pod {pod} is in VRF {vrf}, which is not on node {node}; let Vrf.spec.nodeSelector take the node, or the pod another node"
    )]
    NotOnNode { pod: Key, vrf: String, node: String },
    #[error(
        "VRF {0} has no podNetwork to take an address from; set Vrf.spec.podNetwork, or chain sixedge-cni behind a plugin with IPAM"
    )]
    NoPodNetwork(String),
    #[error("the pod cannot have an address yet: {0}")]
    NoBlock(Problem),
    #[error("no addresses are kept for it in VRF {0}; ask for them first")]
    NotReserved(String),
    #[error("{0}; call the plugin in front first, with an IPAM that gives the pod addresses")]
    NoHost(String),
    #[error(
        "{address} in VRF {vrf} is {holder}'s, whose interface is still there; delete that pod, or try again when it has gone"
    )]
    Taken { address: IpAddr, vrf: String, holder: Key },
    #[error("the attachment is not as it was made: {0}; recreate the pod")]
    NotAsMade(String),
}

impl Refusal {
    pub(super) const fn code(&self) -> u32 {
        match self {
            Self::Id(_) | Self::Ambiguous(..) | Self::NotOnNode { .. } => code::INVALID,
            Self::NoPodNetwork(_) | Self::NoHost(_) | Self::NotReserved(_) => code::INVALID,
            Self::Store(StoreError::Io { .. }) => code::IO,
            Self::Store(StoreError::Exhausted { .. }) | Self::NotYet(_) | Self::NoPod(_) => code::TRY_AGAIN,
            Self::NoBlock(_) | Self::Taken { .. } => code::TRY_AGAIN,
            Self::NotAsMade(_) => code::NOT_AS_MADE,
        }
    }
}
