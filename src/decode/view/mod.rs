//! A message as it is shown: the field names here are those of `docs/decode.md`, and stay.

mod attributes;
mod open;
mod update;

use std::net::SocketAddr;

pub(super) use attributes::{AttributesView, ServiceView};
use bgp_wire::{
    Context, Message,
    attribute::{Fault, Verdict, code},
    message::Notification,
};
use open::OpenView;
use serde::Serialize;
pub(super) use update::{RoutesView, UpdateView};

/// One message, or why it is none.
#[derive(Serialize)]
pub(super) struct View {
    /// Sender and receiver, in captures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<SocketAddr>,
    #[serde(flatten)]
    pub(super) body: Option<Body>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<ErrorView>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Body {
    Open(OpenView),
    Update(Box<UpdateView>),
    Notification(NotificationView),
    Keepalive,
    RouteRefresh { afi: u16, safi: u8, subtype: u8 },
}

#[derive(Serialize)]
pub(super) struct NotificationView {
    pub(super) code: u8,
    pub(super) subcode: u8,
    pub(super) text: String,
    pub(super) data: String,
}

/// What was wrong, and what RFC 7606 makes of it.
#[derive(Serialize)]
pub(super) struct ErrorView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<&'static str>,
    /// What the session would be reset with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) notification: Option<NotificationView>,
    pub(super) faults: Vec<FaultView>,
}

#[derive(Serialize)]
pub(super) struct FaultView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) attribute: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<&'static str>,
    pub(super) reason: String,
}

impl View {
    pub(super) fn of(message: Result<Message, Notification>, context: &Context) -> Self {
        match message {
            Ok(Message::Open(open)) => Self::from(Body::Open(OpenView::of(&open))),
            Ok(Message::Update(update)) => {
                let (view, error) = UpdateView::of(&update, context);
                Self { error, ..Self::from(Body::Update(Box::new(view))) }
            }
            Ok(Message::Notification(notification)) => {
                Self::from(Body::Notification(NotificationView::of(&notification)))
            }
            Ok(Message::Keepalive) => Self::from(Body::Keepalive),
            Ok(Message::RouteRefresh { afi, safi, subtype }) => {
                Self::from(Body::RouteRefresh { afi, safi, subtype })
            }
            Err(notification) => {
                Self { body: None, error: Some(ErrorView::reset(&notification)), from: None, to: None }
            }
        }
    }

    /// Input that is no message at all.
    pub(super) fn unreadable(reason: &str) -> Self {
        let fault = FaultView { attribute: None, verdict: None, reason: reason.to_owned() };
        let error = ErrorView { verdict: None, notification: None, faults: vec![fault] };
        Self { body: None, error: Some(error), from: None, to: None }
    }

    pub(super) const fn between(mut self, (from, to): (SocketAddr, SocketAddr)) -> Self {
        self.from = Some(from);
        self.to = Some(to);
        self
    }

    pub(super) const fn is_well_formed(&self) -> bool {
        self.error.is_none()
    }

    pub(super) fn json(&self) -> String {
        // Maps with keys of text and plain values: nothing that serde_json refuses.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl From<Body> for View {
    fn from(body: Body) -> Self {
        Self { body: Some(body), error: None, from: None, to: None }
    }
}

impl NotificationView {
    fn of(notification: &Notification) -> Self {
        Self {
            code: notification.code,
            subcode: notification.subcode,
            text: notification.to_string(),
            data: hex(&notification.payload),
        }
    }
}

impl ErrorView {
    /// A message that cannot be taken apart.
    fn reset(notification: &Notification) -> Self {
        let verdict = Some("session-reset");
        let fault = FaultView { attribute: None, verdict, reason: notification.to_string() };
        Self { verdict, notification: Some(NotificationView::of(notification)), faults: vec![fault] }
    }

    fn of<'a>(verdict: &Verdict, faults: impl Iterator<Item = &'a Fault>) -> Self {
        let notification = match verdict {
            Verdict::SessionReset(notification) => Some(NotificationView::of(notification)),
            _ => None,
        };
        Self { verdict: Some(verdict.word()), notification, faults: faults.map(FaultView::of).collect() }
    }
}

impl FaultView {
    fn of(fault: &Fault) -> Self {
        Self {
            attribute: fault.attribute.map(code::name),
            verdict: Some(fault.verdict.word()),
            reason: fault.reason.clone(),
        }
    }
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
