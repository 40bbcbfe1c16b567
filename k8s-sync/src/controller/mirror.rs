//! Our objects with their statuses, as the API server tells them and as our own writes have left them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{Stream, StreamExt, stream::select_all};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DynamicObject},
    runtime::{WatchStreamExt, watcher},
};
use serde::Deserialize;

use super::plan::{AnyStatus, Standing};
use crate::{
    api::{
        AttachmentCircuit, BgpAdvertisement, BgpCluster, BgpNodeOverride, BgpPeerConfig, EgressPolicy,
        LocatorPool, NodeState, Vrf,
    },
    version,
    world::ObjectRef,
};

/// What is read of a NodeState; all else that is watched is answered with a status.
const NODE_STATE: &str = "NodeState";

/// An event of one kind.
pub(super) type News = (String, watcher::Result<watcher::Event<DynamicObject>>);

/// What is known of our objects.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    pub(super) standing: BTreeMap<ObjectRef, Standing>,
    pub(super) node_states: BTreeMap<String, NodeState>,
    /// By kind: what the list that is being read has named so far.
    listing: BTreeMap<String, BTreeSet<String>>,
    listed: BTreeSet<String>,
}

/// The kinds that the controller answers, and NodeState.
fn kinds() -> [ApiResource; 9] {
    [
        ApiResource::erase::<Vrf>(&()),
        ApiResource::erase::<LocatorPool>(&()),
        ApiResource::erase::<BgpCluster>(&()),
        ApiResource::erase::<BgpPeerConfig>(&()),
        ApiResource::erase::<BgpAdvertisement>(&()),
        ApiResource::erase::<BgpNodeOverride>(&()),
        ApiResource::erase::<EgressPolicy>(&()),
        ApiResource::erase::<AttachmentCircuit>(&()),
        ApiResource::erase::<NodeState>(&()),
    ]
}

/// The API of a kind of ours.
pub(super) fn api_of(client: &Client, kind: &str) -> Option<(Api<DynamicObject>, ApiResource)> {
    let resource = kinds().into_iter().find(|resource| resource.kind == kind)?;
    Some((Api::all_with(client.clone(), &resource), resource))
}

/// Everything that happens to our objects; errors are told and tried again.
pub(super) fn news(client: &Client) -> impl Stream<Item = News> + Send + Unpin + use<> {
    select_all(kinds().map(|resource| {
        let api = Api::<DynamicObject>::all_with(client.clone(), &resource);
        let events = watcher(api, watcher::Config::default()).default_backoff();
        events.map(move |event| (resource.kind.clone(), event)).boxed()
    }))
}

impl Mirror {
    /// Whether every kind has been read once: before that nothing may be written.
    pub(super) fn is_complete(&self) -> bool {
        self.listed.len() == kinds().len()
    }

    pub(super) fn take(&mut self, (kind, event): News) {
        match event {
            Ok(watcher::Event::Init) => drop(self.listing.insert(kind, BTreeSet::new())),
            Ok(watcher::Event::InitApply(object)) => {
                self.listing.entry(kind.clone()).or_default().insert(object.name_any());
                self.keep(&kind, object);
            }
            Ok(watcher::Event::InitDone) => {
                let named = self.listing.remove(&kind).unwrap_or_default();
                self.retain(&kind, |name| named.contains(name));
                self.listed.insert(kind);
            }
            Ok(watcher::Event::Apply(object)) => self.keep(&kind, object),
            Ok(watcher::Event::Delete(object)) => {
                let deleted = object.name_any();
                self.retain(&kind, |name| name != deleted);
            }
            Err(error) => tracing::warn!(kind, %error, "cannot watch; trying again"),
        }
    }

    /// Keeps an object, be it from the watch or the answer to our own write.
    pub(super) fn keep(&mut self, kind: &str, object: DynamicObject) {
        let name = object.name_any();
        if kind == NODE_STATE {
            match object.try_parse() {
                Ok(state) => drop(self.node_states.insert(name, state)),
                Err(error) => {
                    tracing::warn!(name, %error, "a NodeState is not understood; its node counts as silent")
                }
            }
            return;
        }
        let key = ObjectRef::cluster(kind, &name);
        match standing(&object) {
            Ok(standing) if self.standing.get(&key).is_some_and(|held| standing.is_older(held)) => {}
            Ok(standing) => drop(self.standing.insert(key, standing)),
            // Written over an unknown status, allocations would be lost.
            Err(error) => {
                tracing::warn!(object = %key, %error, "its status is not understood and is left alone; repair it");
                self.standing.remove(&key);
            }
        }
    }

    /// Forgets what is not there any more.
    pub(super) fn forget(&mut self, object: &ObjectRef) {
        self.standing.remove(object);
    }

    fn retain(&mut self, kind: &str, is_there: impl Fn(&str) -> bool) {
        if kind == NODE_STATE {
            self.node_states.retain(|name, _| is_there(name));
        } else {
            self.standing.retain(|object, _| object.kind != kind || is_there(&object.name));
        }
    }
}

fn standing(object: &DynamicObject) -> Result<Standing, serde_json::Error> {
    let status = match object.data.get("status") {
        Some(status) => AnyStatus::deserialize(status)?,
        None => AnyStatus::default(),
    };
    Ok(Standing {
        uid: object.uid().unwrap_or_default(),
        generation: object.meta().generation.unwrap_or_default(),
        resource_version: object.resource_version().unwrap_or_default(),
        status,
    })
}

impl Standing {
    fn is_older(&self, held: &Self) -> bool {
        version::is_older(&self.resource_version, &held.resource_version)
    }
}
