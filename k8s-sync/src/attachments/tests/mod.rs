use std::{
    cell::Cell,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use cni::protocol::{Attachment, AttachmentId, PodRef, Request, Reservation, Response, code, host_interface};
use ipnet::IpNet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::*;
use crate::{
    api::VrfSpec,
    render::{Problem, Reason},
    world::{Key, Namespace, Node, Object, Pod, World},
};

mod deciding;
mod keeping;
mod serving;

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("sixedge-attachments-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn load(&self) -> Attachments {
        let loaded = Attachments::load(&self.0).unwrap();
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        loaded.attachments
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The agent, as far as it is asked.
struct Agent {
    folder: Folder,
    store: Attachments,
    world: World,
    readiness: Readiness,
    fetched: Cell<bool>,
    blocks: Result<Vec<IpNet>, Problem>,
}

impl Agent {
    /// VRFs red and blue, with the same pod network, of the namespaces of those names; pods `web` and `db` in both.
    fn new() -> Self {
        let folder = Folder::new();
        let store = folder.load();
        let mut world = World::default();
        world.nodes.insert("n1".into(), Node::default());
        for tenant in ["red", "blue", "plain"] {
            let labels = [("tenant".to_owned(), tenant.to_owned())].into();
            world.namespaces.insert(tenant.into(), Namespace { labels });
            for name in ["web", "db"] {
                world.pods.insert(
                    Key::new(tenant, name),
                    Pod { uid: format!("{tenant}-{name}"), ..Pod::default() },
                );
            }
        }
        world.vrfs.insert("red".into(), vrf("red"));
        world.vrfs.insert("blue".into(), vrf("blue"));
        Self {
            folder,
            store,
            world,
            readiness: Readiness::Ready,
            fetched: Cell::new(false),
            blocks: Ok(vec![net("10.1.0.0/29"), net("fd00:1::/64")]),
        }
    }

    fn ask(&mut self, request: Request) -> Step {
        let blocks = |_: &str| self.blocks.clone();
        let (readiness, fetched) = (&self.readiness, self.fetched.get());
        let seen = Seen { node: "n1", world: &self.world, fetched, readiness, blocks: &blocks, mtu: 1400 };
        decide(request, &seen, &mut self.store)
    }

    fn reserve(&mut self, container: &str, of: &str) -> Reservation {
        match self.ask(reserve(container, of)) {
            Step::Answer(Response::Reserved(reservation)) => reservation,
            other => panic!("{other:?}"),
        }
    }

    /// Reserves and attaches.
    fn add(&mut self, container: &str, of: &str) -> Attachment {
        let attachment = made(container, of, &self.reserve(container, of));
        assert!(matches!(self.ask(Request::Attach(attachment.clone())), Step::Program { .. }));
        attachment
    }

    /// As after a restart.
    fn restart(&mut self) {
        self.store = self.folder.load();
    }

    fn refused(&mut self, request: Request) -> (u32, String) {
        match self.ask(request) {
            Step::Answer(Response::Refused { code, message }) => (code, message),
            other => panic!("{other:?}"),
        }
    }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn vrf(tenant: &str) -> Object<VrfSpec> {
    let labels = Some([("tenant".to_owned(), tenant.to_owned())].into());
    let namespaces = LabelSelector { match_labels: labels, ..LabelSelector::default() };
    let spec = serde_json::json!({ "namespaceSelector": namespaces });
    let spec = serde_json::from_value(spec).unwrap();
    Object { generation: 1, uid: tenant.to_owned(), labels: Default::default(), spec }
}

fn id(container: &str) -> AttachmentId {
    AttachmentId { container: container.to_owned(), interface: "eth0".to_owned() }
}

/// `namespace/name`.
fn pod(of: &str) -> PodRef {
    let (namespace, name) = of.split_once('/').unwrap();
    PodRef { namespace: namespace.to_owned(), name: name.to_owned(), uid: None }
}

fn reserve(container: &str, of: &str) -> Request {
    Request::Reserve { id: id(container), network: "net".to_owned(), pod: pod(of) }
}

/// What the plugin makes of a reservation.
fn made(container: &str, of: &str, reservation: &Reservation) -> Attachment {
    Attachment {
        id: id(container),
        network: "net".to_owned(),
        pod: pod(of),
        host_interface: reservation.host_interface.clone(),
        addresses: reservation.addresses.iter().map(IpNet::addr).collect(),
        gateways: reservation.gateways.clone(),
        netns: format!("/run/netns/{container}").into(),
        mac: None,
        reserved: true,
        proxy: false,
    }
}

/// What the plugin finds behind another one.
fn chained(container: &str, of: &str, interface: &str, address: &str) -> Attachment {
    Attachment {
        id: id(container),
        network: "net".to_owned(),
        pod: pod(of),
        host_interface: interface.to_owned(),
        addresses: vec![address.parse().unwrap()],
        gateways: vec![],
        netns: format!("/run/netns/{container}").into(),
        mac: None,
        reserved: false,
        proxy: false,
    }
}
