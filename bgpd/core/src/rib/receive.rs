//! UPDATEs in: RFC 7606 verdicts, loops, attribute sets.

use std::{net::IpAddr, sync::Arc};

use bgp_wire::{
    attribute::{Attributes, Fault, RawAttributes, Verdict},
    message::{Announced, NextHop, Update},
    nlri::NlriList,
};

use super::{
    Rib, UpdateOutcome, UpdateVerdict,
    attributes::{AttributeSet, SetId, Source},
    key::family_index,
    path::Path,
};
use crate::config::PeerId;

/// What the attributes of announced routes make of them.
#[derive(Clone, Copy, Debug)]
enum Intake {
    /// Held with this set, of which the intake owns a reference.
    Held(SetId),
    /// RFC 4271 section 9.1.2, RFC 4456 section 8: the route has been here, or leads here.
    Looped,
    /// RFC 7606 section 2.
    Withdrawn,
}

impl Rib {
    /// Takes an UPDATE in. Work per attribute set is done once per UPDATE; NLRI of families that were not
    /// negotiated are passed over. An UPDATE that resets the session changes nothing.
    pub fn update(&mut self, peer: PeerId, update: Update) -> UpdateOutcome {
        let source = self.peers.get(&peer).filter(|state| state.up).map(|state| Arc::clone(&state.source));
        let Some(source) = source else {
            return UpdateOutcome { verdict: UpdateVerdict::Accepted, faults: Vec::new(), end_of_rib: None };
        };
        let (intakes, mut found) = self.take_in(&update, &source);
        let verdict = verdict(&update, &found);
        if !matches!(verdict, UpdateVerdict::Reset(_)) {
            update.withdrawn.iter().for_each(|withdrawn| self.remove_all(peer, &withdrawn.nlri));
            let withdraw = verdict == UpdateVerdict::TreatedAsWithdraw;
            for (announced, intake) in update.announced.iter().zip(&intakes) {
                self.apply(peer, &announced.nlri, if withdraw { Intake::Withdrawn } else { *intake });
            }
        }
        for intake in intakes {
            if let Intake::Held(set) = intake {
                self.sets.release(set);
            }
        }
        let mut faults = update.faults;
        faults.append(&mut found);
        UpdateOutcome { verdict, faults, end_of_rib: update.end_of_rib }
    }

    /// What becomes of each run of announced routes, and what was wrong with the attributes. A set that is held
    /// already is not decoded again, so what was discarded from it is told of once.
    fn take_in(&mut self, update: &Update, source: &Arc<Source>) -> (Vec<Intake>, Vec<Fault>) {
        let (mut intakes, mut faults) = (Vec::new(), Vec::new());
        // RFC 7606 section 5.2: where no route is announced, a fault may have hidden it.
        if update.announced.is_empty() && !update.attributes.0.is_empty() {
            faults = Attributes::decode(&update.attributes, &source.context).1;
        }
        for Announced { next_hop, .. } in &update.announced {
            if let Some(set) = self.sets.find(&update.attributes, next_hop, source) {
                intakes.push(Intake::Held(set));
                continue;
            }
            let (attributes, found) = Attributes::decode(&update.attributes, &source.context);
            faults = found;
            intakes.push(match verdict(update, &faults) {
                UpdateVerdict::Accepted | UpdateVerdict::AttributesDiscarded => {
                    self.check_loops(&update.attributes, next_hop, source, attributes)
                }
                UpdateVerdict::TreatedAsWithdraw | UpdateVerdict::Reset(_) => Intake::Withdrawn,
            });
        }
        (intakes, faults)
    }

    fn check_loops(
        &mut self,
        raw: &RawAttributes,
        next_hop: &NextHop,
        source: &Arc<Source>,
        attributes: Attributes,
    ) -> Intake {
        match self.has_looped(&attributes) || !is_usable(next_hop.global(), source) {
            true => Intake::Looped,
            false => Intake::Held(self.sets.insert(AttributeSet::new(raw, *next_hop, source, attributes))),
        }
    }

    fn has_looped(&self, attributes: &Attributes) -> bool {
        attributes.as_path.contains(self.speaker.asn)
            || attributes.originator_id == Some(self.speaker.router_id)
            || attributes.cluster_list.contains(&self.speaker.cluster_id)
    }

    fn apply(&mut self, peer: PeerId, list: &NlriList, intake: Intake) {
        let family = family_index(list.family());
        let Some(state) = self.peers.get_mut(&peer).filter(|state| state.families.contains(&list.family()))
        else {
            return;
        };
        let counts = &mut state.counts[family];
        counts.received += list.len() as u64;
        match intake {
            Intake::Held(set) => {
                let path = Path::new(set, peer, 0, None);
                counts.accepted += self.tables[family].announce(list, path, &mut self.sets) as u64;
            }
            Intake::Looped => {
                counts.looped += list.len() as u64;
                self.remove_all(peer, list);
            }
            Intake::Withdrawn => self.remove_all(peer, list),
        }
    }

    fn remove_all(&mut self, peer: PeerId, list: &NlriList) {
        let family = family_index(list.family());
        let removed = self.tables[family].withdraw(list, peer, &mut self.sets);
        if let Some(state) = self.peers.get_mut(&peer) {
            state.counts[family].accepted -= removed as u64;
        }
    }
}

/// RFC 4271 sections 5.1.3 and 6.3: neither our own address nor what is no host's, IPv4-mapped ones included.
fn is_usable(next_hop: IpAddr, source: &Source) -> bool {
    let next_hop = next_hop.to_canonical();
    !next_hop.is_unspecified() && !next_hop.is_multicast() && !source.local.contains(&Some(next_hop))
}

fn verdict(update: &Update, attribute_faults: &[Fault]) -> UpdateVerdict {
    match update.verdict(attribute_faults) {
        None => UpdateVerdict::Accepted,
        Some(Verdict::AttributeDiscard) => UpdateVerdict::AttributesDiscarded,
        Some(Verdict::TreatAsWithdraw) => UpdateVerdict::TreatedAsWithdraw,
        Some(Verdict::SessionReset(notification)) => UpdateVerdict::Reset(notification),
    }
}
