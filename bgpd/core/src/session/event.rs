use std::fmt;

use bgp_wire::message::{Message, Notification, Open};

use super::{Negotiated, notification::describe};

/// What happens to a session, RFC 4271 section 8.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// ManualStart and AutomaticStart.
    Start,
    /// ManualStop and AutomaticStop, with what the peer is told.
    Stop(Notification),
    /// TcpConnectionConfirmed or Tcp_CR_Acked: the connection is up, whoever opened it.
    Connected,
    /// TcpConnectionFails.
    Lost,
    /// The time has come that [`super::State::deadline`] named, or any other time.
    Tick,
    /// An OPEN has come.
    Open(Box<Open>),
    /// A KEEPALIVE has come.
    Keepalive,
    /// An UPDATE or ROUTE-REFRESH has come; what is in it is the tables' concern.
    Routes,
    /// A NOTIFICATION has come.
    Notification(Notification),
    /// What came cannot be decoded, or the tables ask for a reset.
    Fault(Notification),
    /// RFC 4724 section 5: a new connection shows that the peer has restarted.
    Replaced,
}

/// What is to be done about it, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a connection.
    Connect,
    /// Send a message on the connection.
    Send(Message),
    /// Close the connection, behind what was sent.
    Close,
    /// The session is up.
    Up(Box<Negotiated>),
    /// A connection has ended; `Some` when the session was up.
    Down(Down, Option<Box<Negotiated>>),
}

/// Why a connection has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Down {
    /// We sent this.
    Sent(Notification),
    /// The peer sent this.
    Received(Notification),
    /// The transport was lost or could not be made.
    Lost,
    /// The peer opened a new connection (RFC 4724 section 5).
    Replaced,
}

impl Down {
    /// Whether a helper keeps the routes: RFC 4724 section 4.2, and with the N bit RFC 8538 section 4, where
    /// only a Hard Reset takes them.
    pub fn is_graceful(&self, notification_bit: bool) -> bool {
        const HARD_RESET: (u8, u8) = (6, 9);
        match self {
            Self::Lost | Self::Replaced => true,
            Self::Sent(n) | Self::Received(n) => notification_bit && (n.code, n.subcode) != HARD_RESET,
        }
    }
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(n) => write!(f, "sent {}", describe(n)),
            Self::Received(n) => write!(f, "received {}", describe(n)),
            Self::Lost => f.write_str("connection lost"),
            Self::Replaced => f.write_str("peer restarted (new connection)"),
        }
    }
}
