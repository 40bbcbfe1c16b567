//! Follows one kind and hands on changes of the draft.
//!
//! Lists and watches are kube's; what is here is when to begin anew from a list, and that a list counts when it is whole.

use std::{pin::pin, time::Duration};

use futures_util::StreamExt as _;
use kube::{
    Api, Client, Error, Resource,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Config, Event},
    },
};
use tokio::{sync::mpsc, time::sleep};

use super::{
    draft::{Edit, Listing},
    health::Source,
    kind::{Name, Watched},
    line::Line,
};

/// Objects to a page of a list. Half of kube's: whole pods are large, and several kinds are listed at a time.
const PAGE: u32 = 250;

/// Before a list is asked for anew, so that a server that refuses every watch is not flooded with lists.
const RELIST: Duration = Duration::from_secs(1);

/// After so many refusals of a watch in a row its version is given up: the server may have been set back to an older
/// state, and would refuse it for long.
const REFUSALS: u32 = 3;

/// A change of the draft, and whose it is.
pub(super) struct Change {
    pub(super) source: Source,
    pub(super) edit: Edit,
    /// It is the whole list.
    pub(super) is_list: bool,
}

/// Nobody takes the changes any more.
pub(super) struct Closed;

/// What is to be followed.
pub(super) struct Feed<W: Watched> {
    pub(super) line: Line,
    pub(super) out: mpsc::Sender<Change>,
    /// The API of the kind, through the line's client.
    pub(super) api: fn(Client, &str) -> Api<W::Object>,
    pub(super) namespace: String,
    /// Field selector; given up where the server does not know it.
    pub(super) fields: Option<String>,
    /// The one object that the lists are of, where it is not all.
    pub(super) only: Option<W::Name>,
}

/// How to go on after an error.
enum Next {
    /// With the same version, after kube's delay.
    Retry,
    /// From a list.
    Relist,
    /// From a list of everything.
    RelistAll,
}

impl<W: Watched> Feed<W> {
    /// Never ends but when nobody listens.
    pub(super) async fn run(mut self, client: Client) {
        loop {
            let api = (self.api)(self.line.over(&client), &self.namespace);
            match self.follow(api).await {
                Err(Closed) => return,
                Ok(Next::RelistAll) => self.fields = None,
                Ok(Next::Relist | Next::Retry) => {}
            }
            sleep(RELIST).await;
        }
    }

    /// Until it has to begin anew.
    async fn follow(&self, api: Api<W::Object>) -> Result<Next, Closed> {
        // Not streaming lists: kube's drop deletions that come before the list's end, and do not fall back.
        let config =
            Config { field_selector: self.fields.clone(), page_size: Some(PAGE), ..Config::default() };
        let mut events = pin!(watcher::watcher(api, config).default_backoff());
        let mut listing = Listing::<W>::default();
        let mut refusals = 0;
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    refusals = 0;
                    self.take(event, &mut listing).await?;
                }
                Err(error) => match self.after(&error, &mut refusals) {
                    Next::Retry => {}
                    next => return Ok(next),
                },
            }
        }
        Ok(Next::Relist)
    }

    async fn take(&self, event: Event<W::Object>, listing: &mut Listing<W>) -> Result<(), Closed> {
        match event {
            Event::Init => *listing = Listing::default(),
            Event::InitApply(object) => {
                if let Some(name) = <W::Name as Name>::of(object.meta()) {
                    listing.add(name, W::read(object));
                }
            }
            Event::InitDone => {
                let (listing, only) = (std::mem::take(listing), self.only.clone());
                self.hand_on(true, Box::new(move |draft| draft.replace(listing, only.as_ref()))).await?;
            }
            Event::Apply(object) => {
                if let Some(name) = <W::Name as Name>::of(object.meta()) {
                    let read = W::read(object);
                    self.hand_on(false, Box::new(move |draft| draft.put::<W>(name, read))).await?;
                }
            }
            Event::Delete(object) => {
                if let Some(name) = <W::Name as Name>::of(object.meta()) {
                    self.hand_on(false, Box::new(move |draft| draft.remove::<W>(&name))).await?;
                }
            }
        }
        Ok(())
    }

    async fn hand_on(&self, is_list: bool, edit: Edit) -> Result<(), Closed> {
        let change = Change { source: self.line.source, edit, is_list };
        self.out.send(change).await.map_err(|_| Closed)
    }

    fn after(&self, error: &watcher::Error, refusals: &mut u32) -> Next {
        use watcher::Error::{InitialListFailed, WatchError, WatchFailed, WatchStartFailed};
        match error {
            InitialListFailed(Error::Api(status)) if status.code == 400 && self.fields.is_some() => {
                Next::RelistAll
            }
            InitialListFailed(Error::SerdeError(error)) => {
                // Not the text: it may hold what stands in a Secret.
                let (kind, column) = (error.classify(), error.column());
                let reason = format_args!("the list cannot be read: {kind:?} error at column {column}");
                self.line.board.failing(self.line.source, &reason);
                Next::Retry
            }
            // kube goes on behind the object that it could not read, which would be missed for good.
            WatchFailed(Error::SerdeError(_)) => Next::Relist,
            // kube begins anew only where the 410 comes within the watch, and not where it comes instead of it.
            WatchStartFailed(Error::Api(status)) if status.code == 410 => Next::Relist,
            WatchStartFailed(Error::Api(_)) | WatchError(_) => {
                *refusals += 1;
                if *refusals < REFUSALS { Next::Retry } else { Next::Relist }
            }
            _ => Next::Retry,
        }
    }
}
