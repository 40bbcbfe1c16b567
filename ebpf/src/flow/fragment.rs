use srv6_types::maps::{FlowEntry, flow_kind, flow_state};

use super::{Draft, find, insert, now};
use crate::packet::{Family, Translation, headers::protocol};

/// Of [`FlowEntry::target`]: the protocol has no ports.
const PORTLESS: u32 = 1 << 8;

/// Keeps the ports of a packet's first fragment for the later ones. Where there is no room, those will go without.
#[inline(always)]
pub(crate) fn remember_ports(translation: &Translation, vrf: u32, identification: u32) {
    let Some(draft) = Draft::of_this_cpu() else { return };
    let [[a, b], [c, d]] = [translation.came.ports[0].to_ne_bytes(), translation.came.ports[1].to_ne_bytes()];
    let portless = if translation.portless != 0 { PORTLESS } else { 0 };
    set_key(draft, translation, identification);
    draft.entry = FlowEntry {
        address: [0; 16],
        ports: [a, b, c, d],
        target: u32::from(translation.protocol) | portless,
        generation: 0,
        state: flow_state::OPENING,
        seen: now(),
    };
    _ = insert(vrf, &draft.key, &draft.entry);
}

/// Takes the ports of a later fragment from what the first has left.
#[inline(always)]
pub(crate) fn recall_ports(translation: &mut Translation, vrf: u32, identification: u32) {
    let Some(draft) = Draft::of_this_cpu() else { return };
    set_key(draft, translation, identification);
    let Some(first) = find(vrf, &draft.key) else { return };
    let [a, b, c, d] = first.ports;
    translation.came.ports = [u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d])];
    translation.protocol = first.target as u8;
    translation.portless = u8::from(first.target & PORTLESS != 0);
    translation.has_ports = 1;
}

/// RFC 791 section 3.2: the protocol is part of what identifies a packet. RFC 8200 section 4.5: it is not, for it may be
/// an extension header's in each fragment.
#[inline(always)]
fn set_key(draft: &mut Draft, translation: &Translation, identification: u32) {
    let upper = match translation.came.family {
        Family::V4 => translation.protocol,
        Family::V6 => protocol::FRAGMENT,
    };
    draft.set_key(&translation.came, upper, flow_kind::FRAGMENT);
    draft.key.ports = identification.to_ne_bytes();
}
