//! Which kinds are watched, and where the world has them.

use std::{collections::BTreeMap, fmt::Debug};

use k8s_openapi::{
    api::{core::v1 as core, discovery::v1 as discovery, networking::v1 as networking},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{Resource, core::DeserializeGuard};
use serde::de::DeserializeOwned;
use vrf_manager::intent;

use super::convert;
use crate::{
    api,
    world::{self, Key, Object, ObjectRef, World},
};

/// A kind of objects that is watched.
pub(super) trait Watched: 'static {
    /// Its name.
    const KIND: &'static str;
    /// As the API server tells it.
    type Object: Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + 'static;
    /// What the world knows it by.
    type Name: Name;
    /// What the world keeps of it.
    type Entry: Clone + PartialEq + Send + 'static;

    /// What is kept; `None` where nothing is; why it cannot be read.
    fn read(object: Self::Object) -> Result<Option<Self::Entry>, String>;
    /// Where the world has it.
    fn table(world: &World) -> &BTreeMap<Self::Name, Self::Entry>;
    /// Where the world has it.
    fn table_mut(world: &mut World) -> &mut BTreeMap<Self::Name, Self::Entry>;
}

/// What an object is known by: its name, or its namespace and name.
pub(super) trait Name: Clone + Ord + Send + Sync + 'static {
    fn of(metadata: &ObjectMeta) -> Option<Self>;
    fn object(&self, kind: &str) -> ObjectRef;
}

impl Name for String {
    fn of(metadata: &ObjectMeta) -> Option<Self> {
        metadata.name.clone()
    }

    fn object(&self, kind: &str) -> ObjectRef {
        ObjectRef::cluster(kind, self)
    }
}

impl Name for Key {
    fn of(metadata: &ObjectMeta) -> Option<Self> {
        metadata
            .namespace
            .clone()
            .zip(metadata.name.clone())
            .map(|(namespace, name)| Self { namespace, name })
    }

    fn object(&self, kind: &str) -> ObjectRef {
        ObjectRef::namespaced(kind, self)
    }
}

/// `Kind: object, name => entry, table of the world, how it is read`.
macro_rules! watched {
    ($($kind:ident: $object:ty, $name:ty => $entry:ty, $table:ident, $read:expr;)+) => {$(
        pub(super) struct $kind;

        impl Watched for $kind {
            const KIND: &'static str = stringify!($kind);
            type Object = $object;
            type Name = $name;
            type Entry = $entry;

            fn read(object: Self::Object) -> Result<Option<Self::Entry>, String> {
                let read: fn(Self::Object) -> Result<Option<Self::Entry>, String> = $read;
                read(object)
            }

            fn table(world: &World) -> &BTreeMap<Self::Name, Self::Entry> {
                &world.$table
            }

            fn table_mut(world: &mut World) -> &mut BTreeMap<Self::Name, Self::Entry> {
                &mut world.$table
            }
        }
    )+};
}

/// Of our own kinds one object that cannot be read (an agent older than the CRDs) must not hide all others.
type Guarded<K> = DeserializeGuard<K>;

watched! {
    Node: core::Node, String => world::Node, nodes, |node| Ok(Some(convert::node(node)));
    Namespace: core::Namespace, String => world::Namespace, namespaces, |namespace| {
        Ok(Some(world::Namespace { labels: convert::labels(namespace.metadata) }))
    };
    Pod: core::Pod, Key => world::Pod, pods, |pod| Ok(convert::pod(pod));
    Service: core::Service, Key => world::Service, services, |service| Ok(Some(convert::service(service)));
    EndpointSlice: discovery::EndpointSlice, Key => world::EndpointSlice, endpoint_slices, |slice| Ok(convert::endpoint_slice(slice));
    NetworkPolicy: networking::NetworkPolicy, Key => Object<networking::NetworkPolicySpec>, network_policies, |policy| {
        Ok(policy.spec.map(|spec| convert::object(policy.metadata, spec)))
    };
    Secret: core::Secret, String => intent::Secret, passwords, |secret| Ok(password(secret));
    LocatorPool: Guarded<api::LocatorPool>, String => Object<world::LocatorPool>, locator_pools, |pool| {
        let pool = pool.0.map_err(|invalid| invalid.error)?;
        let allocations = pool.status.map(|status| status.allocations).unwrap_or_default();
        Ok(Some(convert::object(pool.metadata, world::LocatorPool { spec: pool.spec, allocations })))
    };
}

/// Kinds of ours that are kept as they are: `Kind, spec, table of the world`.
macro_rules! ours {
    ($($kind:ident, $spec:ident, $table:ident;)+) => {
        watched! {$(
            $kind: Guarded<api::$kind>, String => Object<api::$spec>, $table, |object| {
                let object = object.0.map_err(|invalid| invalid.error)?;
                Ok(Some(convert::object(object.metadata, object.spec)))
            };
        )+}
    };
}

ours! {
    Vrf, VrfSpec, vrfs;
    AttachmentCircuit, AttachmentCircuitSpec, attachment_circuits;
    BgpCluster, BgpClusterSpec, bgp_clusters;
    BgpPeerConfig, BgpPeerConfigSpec, bgp_peer_configs;
    BgpAdvertisement, BgpAdvertisementSpec, bgp_advertisements;
    BgpNodeOverride, BgpNodeOverrideSpec, bgp_node_overrides;
    EgressPolicy, EgressPolicySpec, egress_policies;
}

/// The key of TCP MD5 in a Secret.
fn password(secret: core::Secret) -> Option<intent::Secret> {
    secret.data?.remove("password").map(|octets| intent::Secret(octets.0))
}
