//! The one task that owns the world.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::{Api, Client, Resource, core::ClusterResourceScope, core::NamespaceResourceScope};
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until},
};
use tracing::{info, warn};

use super::{
    Options, Origin, Told,
    draft::Draft,
    feed::{Change, Feed},
    health::{Board, Source},
    kind::{self, Watched},
    line::Line,
    stage::{Debounce, Stage},
};
use crate::{snapshot, world::World};

/// Changes that may wait for the owner; feeds wait when there are more.
const WAITING: usize = 256;

/// Pods that have ended have no addresses.
const NOT_ENDED: &str = "status.phase!=Succeeded,status.phase!=Failed";

/// Owns the world and what feeds it.
pub(super) struct Owner {
    client: Client,
    options: Options,
    board: Arc<Board>,
    draft: Draft,
    stage: Stage,
    tell: watch::Sender<Option<Told>>,
    into: mpsc::Sender<Change>,
    changes: mpsc::Receiver<Change>,
    feeds: JoinSet<()>,
    next_source: Source,
    secrets: BTreeMap<String, (Source, AbortHandle)>,
    /// The feeds of Secrets that nobody names any more: what they still say is not heard.
    live_sources: BTreeSet<Source>,
}

impl Owner {
    /// Reads the snapshot, and begins to follow every kind.
    pub(super) fn new(
        client: Client,
        options: Options,
        board: Arc<Board>,
        tell: watch::Sender<Option<Told>>,
    ) -> Self {
        let (into, changes) = mpsc::channel(WAITING);
        let snapshot = remembered(&options);
        // Hidden until it is needed: a kind that is refused has what the snapshot says.
        let draft = Draft { world: snapshot.clone().unwrap_or_default(), ..Draft::default() };
        let stage = Stage::Starting { patience_ends: Instant::now() + options.patience, snapshot };
        let mut owner = Self {
            client,
            options,
            board,
            draft,
            stage,
            tell,
            into,
            changes,
            feeds: JoinSet::new(),
            next_source: 0,
            secrets: BTreeMap::new(),
            live_sources: BTreeSet::new(),
        };
        owner.follow_all();
        owner
    }

    fn follow_all(&mut self) {
        self.cluster::<kind::Node>();
        self.cluster::<kind::Namespace>();
        self.namespaced::<kind::Pod>(Some(NOT_ENDED));
        self.namespaced::<kind::Service>(None);
        self.namespaced::<kind::EndpointSlice>(None);
        self.namespaced::<kind::NetworkPolicy>(None);
        self.cluster::<kind::Vrf>();
        self.cluster::<kind::AttachmentCircuit>();
        self.cluster::<kind::LocatorPool>();
        self.cluster::<kind::BgpCluster>();
        self.cluster::<kind::BgpPeerConfig>();
        self.cluster::<kind::BgpAdvertisement>();
        self.cluster::<kind::BgpNodeOverride>();
        self.cluster::<kind::EgressPolicy>();
        self.follow_secrets();
    }

    fn cluster<W: Watched>(&mut self)
    where
        W::Object: Resource<Scope = ClusterResourceScope>,
    {
        self.follow::<W>(W::KIND.to_owned(), |client, _| Api::all(client), None, None);
    }

    fn namespaced<W: Watched>(&mut self, fields: Option<&str>)
    where
        W::Object: Resource<Scope = NamespaceResourceScope>,
    {
        self.follow::<W>(W::KIND.to_owned(), |client, _| Api::all(client), fields.map(str::to_owned), None);
    }

    fn follow<W: Watched>(
        &mut self,
        title: String,
        api: fn(Client, &str) -> Api<W::Object>,
        fields: Option<String>,
        only: Option<W::Name>,
    ) -> (Source, AbortHandle) {
        let source = self.next_source;
        self.next_source += 1;
        self.board.enter(source, title);
        self.live_sources.insert(source);
        let line = Line { board: self.board.clone(), source };
        let namespace = self.options.secrets_in.clone().unwrap_or_default();
        let feed = Feed::<W> { line, out: self.into.clone(), api, namespace, fields, only };
        (source, self.feeds.spawn(feed.run(self.client.clone())))
    }

    /// Never ends.
    pub(super) async fn run(mut self) {
        loop {
            let board = self.board.clone();
            let due = self.stage.due(&self.options);
            tokio::select! {
                Some(change) = self.changes.recv() => self.take(change),
                () = board.changed() => {}
                Some(_) = self.feeds.join_next() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
            self.advance(Instant::now());
        }
    }

    fn take(&mut self, change: Change) {
        let Change { source, edit, is_list } = change;
        if !self.live_sources.contains(&source) {
            return;
        }
        if edit(&mut self.draft) {
            self.follow_secrets();
            if let Stage::Following(debounce) = &mut self.stage {
                debounce.changed(Instant::now());
            }
        }
        if is_list {
            self.board.listed(source);
        }
    }

    fn advance(&mut self, now: Instant) {
        let is_due = self.stage.due(&self.options).is_some_and(|due| due <= now);
        let is_settled = self.board.is_settled();
        let any_listed = self.board.any_listed();
        match &mut self.stage {
            Stage::Starting { .. } | Stage::Remembering { .. } if is_settled => self.follow_from_now(),
            Stage::Starting { snapshot, .. } if is_due => {
                let snapshot = snapshot.take().unwrap_or_default();
                self.remember(snapshot);
            }
            Stage::Remembering { .. } if is_due => self.follow_from_now(),
            Stage::Remembering { first_list } if any_listed => {
                first_list.get_or_insert(now);
            }
            Stage::Following(debounce) if is_due => {
                *debounce = Debounce::Quiet;
                self.tell(self.draft.world.clone(), Origin::Server);
            }
            _ => {}
        }
    }

    fn remember(&mut self, snapshot: Arc<World>) {
        warn!("the API server has not told everything yet: what the snapshot says is in force until it has");
        self.stage = Stage::Remembering { first_list: self.board.any_listed().then(Instant::now) };
        self.tell(snapshot, Origin::Snapshot);
    }

    fn follow_from_now(&mut self) {
        let world = &self.draft.world;
        info!(
            "the API server has told {} nodes, {} pods and {} VRFs",
            world.nodes.len(),
            world.pods.len(),
            world.vrfs.len()
        );
        self.stage = Stage::Following(Debounce::Quiet);
        self.tell(world.clone(), Origin::Server);
    }

    fn tell(&self, world: Arc<World>, origin: Origin) {
        let unreadable = Arc::new(self.draft.unreadable.clone());
        let told = Told { world, unreadable, origin };
        // What has changed and changed back wakes nobody.
        self.tell.send_if_modified(|before| {
            let is_other = before.as_ref() != Some(&told);
            *before = Some(told);
            is_other
        });
    }

    /// Only Secrets that a BgpPeerConfig names, one watch each.
    fn follow_secrets(&mut self) {
        if self.options.secrets_in.is_none() {
            return;
        }
        let specs = self
            .draft
            .world
            .bgp_peer_configs
            .values()
            .filter_map(|config| config.spec.auth_secret_ref.as_ref());
        let named: BTreeSet<String> = specs.map(|secret| secret.name.clone()).collect();
        let gone: Vec<String> = self.secrets.keys().filter(|name| !named.contains(*name)).cloned().collect();
        for name in gone {
            self.forget_secret(&name);
        }
        for name in named {
            if !self.secrets.contains_key(&name) {
                let fields = format!("metadata.name={name}");
                let title = format!("Secret {name}");
                let feed =
                    self.follow::<kind::Secret>(title, Api::namespaced, Some(fields), Some(name.clone()));
                self.secrets.insert(name, feed);
            }
        }
    }

    fn forget_secret(&mut self, name: &String) {
        if let Some((source, feed)) = self.secrets.remove(name) {
            feed.abort();
            self.live_sources.remove(&source);
            self.board.leave(source);
            self.draft.remove::<kind::Secret>(name);
        }
    }
}

fn remembered(options: &Options) -> Option<Arc<World>> {
    match snapshot::load(options.snapshot.as_deref()?) {
        Ok(world) => world.map(Arc::new),
        Err(error) => {
            warn!("{error}");
            None
        }
    }
}
