//! Filters: rules, and the lookups that they are compiled to.
//!
//! A filter that changes is written as a set of its own beside the one in force. Then the filter's one entry is swung
//! over, for all circuits that name it, and the old set is removed when no packet can be looking at it any more. A process that
//! dies in between leaves a set that no filter names; the next one removes it.

mod codec;
mod sets;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aya::{
    Ebpf,
    maps::{self, MapData, MapError, PerCpuArray},
};
use srv6_types::maps::{
    FilterClass, FilterEntry, FilterKey4, FilterKey6, FilterPortKey, FilterRuleEntry, FilterRuleKey,
    FilterVerdict, Tally,
};

use super::{
    batch::{Trie, absent_is_fine},
    codec::decode_name,
    counters::sum,
    error::EbpfError,
    maps::{Sizes, Spec, take, take_trie},
    pins::Pins,
    ranges::let_packets_pass,
    tables::zero,
};
use crate::{
    filter::Entries,
    model::{Filter, FilterCounters, FilterId},
};

/// No filter's id: its entry holds the last set that was given away.
const LAST: u32 = 0;

pub(super) struct Filters {
    sizes: Sizes,
    filters: maps::HashMap<MapData, u32, FilterEntry>,
    rules: maps::HashMap<MapData, FilterRuleKey, FilterRuleEntry>,
    counters: PerCpuArray<MapData, Tally>,
    classes4: Trie<FilterKey4, FilterClass>,
    classes6: Trie<FilterKey6, FilterClass>,
    ports: Trie<FilterPortKey, FilterVerdict>,
    /// Indices of counters not in use.
    free_counters: BTreeSet<u32>,
}

impl Filters {
    pub(super) fn take(
        ebpf: &mut Ebpf,
        pins: &Pins,
        generation: &str,
        sizes: &Sizes,
    ) -> Result<Self, EbpfError> {
        let specs = sizes.filter_specs();
        let [filters, rules, counters, classes4, classes6, ports] = specs.map(|spec| spec.name);
        let counter_slots = specs[2].entries;
        let mut taken = Self {
            sizes: *sizes,
            filters: take(ebpf, filters)?,
            rules: take(ebpf, rules)?,
            counters: take(ebpf, counters)?,
            classes4: take_trie(ebpf, pins, generation, classes4)?,
            classes6: take_trie(ebpf, pins, generation, classes6)?,
            ports: take_trie(ebpf, pins, generation, ports)?,
            free_counters: (0..counter_slots).collect(),
        };
        let live = taken.entries()?;
        taken.sweep(&live.values().map(|entry| entry.set).collect())?;
        for entry in live.values() {
            for used in taken.counters_of(entry, &taken.rules_of(entry)?) {
                taken.free_counters.remove(&used);
            }
        }
        Ok(taken)
    }

    pub(super) fn set(&mut self, id: FilterId, filter: &Filter) -> Result<(), EbpfError> {
        let old = self.entries()?.get(&id).copied();
        let old_rules = old.map_or(Ok(Vec::new()), |entry| self.rules_of(&entry))?;
        if old.is_some() && codec::decode(&old_rules).as_ref() == Some(filter) {
            return Ok(());
        }
        let set = self.new_set()?;
        let mut rules = filter.rules.iter().map(codec::encode_rule).collect::<Result<Vec<_>, _>>()?;
        let mut entry = FilterEntry { set, rules: rules.len() as u32, ..old.unwrap_or_default() };
        let before = self.free_counters.clone();
        let written = self
            .allot_counters(old.as_ref(), &old_rules, &mut entry, &mut rules)
            .and_then(|()| self.write_set(&mut entry, filter, &rules))
            .and_then(|()| self.swing(id, entry));
        if let Err(error) = written {
            self.free_counters = before;
            self.remove_set(set, filter, &rules)?;
            return Err(error);
        }
        old.map_or(Ok(()), |old| self.retire(&old, &old_rules, &self.counters_of(&entry, &rules)))
    }

    pub(super) fn remove(&mut self, id: FilterId) -> Result<(), EbpfError> {
        let Some(entry) = self.entries()?.get(&id).copied() else { return Ok(()) };
        let rules = self.rules_of(&entry)?;
        // Packets may be on the way from a circuit that named it until just now.
        let_packets_pass();
        absent_is_fine(self.filters.remove(&id.0)).map_err(self.error("FILTERS"))?;
        self.retire(&entry, &rules, &BTreeSet::new())
    }

    /// Every filter, as the maps have it.
    pub(super) fn observe(&self) -> Result<BTreeMap<FilterId, Filter>, EbpfError> {
        let mut filters = BTreeMap::new();
        for (id, entry) in self.entries()? {
            // A torn one is none, and set again.
            if let Some(filter) = codec::decode(&self.rules_of(&entry)?)
                && filter.rules.len() == entry.rules as usize
            {
                filters.insert(id, filter);
            }
        }
        Ok(filters)
    }

    pub(super) fn counters(&self) -> Result<BTreeMap<FilterId, FilterCounters>, EbpfError> {
        let of = |index| sum(&self.counters, index).map_err(self.error("FILTER_COUNTERS"));
        let mut counters = BTreeMap::new();
        for (id, entry) in self.entries()? {
            let mut of_filter = FilterCounters {
                rules: Vec::new(),
                unmatched: of(entry.unmatched)?,
                admitted: of(entry.admitted)?,
            };
            for rule in self.rules_of(&entry)? {
                of_filter.rules.push((decode_name(&rule.name), of(rule.counter)?));
            }
            counters.insert(id, of_filter);
        }
        Ok(counters)
    }

    fn entries(&self) -> Result<BTreeMap<FilterId, FilterEntry>, EbpfError> {
        let entries = self.filters.iter().map(|entry| entry.map(|(id, entry)| (FilterId(id), entry)));
        let mut entries: BTreeMap<_, _> = entries.collect::<Result<_, _>>().map_err(self.error("FILTERS"))?;
        entries.remove(&FilterId(LAST));
        Ok(entries)
    }

    fn rules_of(&self, entry: &FilterEntry) -> Result<Vec<FilterRuleEntry>, EbpfError> {
        let mut rules = Vec::with_capacity(entry.rules as usize);
        for rule in 0..entry.rules {
            match self.rules.get(&FilterRuleKey { set: entry.set, rule }, 0) {
                Ok(rule) => rules.push(rule),
                Err(MapError::KeyNotFound) => tracing::warn!(set = entry.set, rule, "a rule is missing"),
                Err(source) => return Err(self.error("FILTER_RULES")(source)),
            }
        }
        Ok(rules)
    }

    fn counters_of(&self, entry: &FilterEntry, rules: &[FilterRuleEntry]) -> BTreeSet<u32> {
        rules.iter().map(|rule| rule.counter).chain([entry.unmatched, entry.admitted]).collect()
    }

    fn error(&self, name: &'static str) -> impl Fn(MapError) -> EbpfError + use<> {
        self.sizes.error(name)
    }

    /// Gives rules that were there before their counters back, and zeroed ones to the others.
    fn allot_counters(
        &mut self,
        old: Option<&FilterEntry>,
        old_rules: &[FilterRuleEntry],
        entry: &mut FilterEntry,
        rules: &mut [FilterRuleEntry],
    ) -> Result<(), EbpfError> {
        let mut kept = HashMap::<FilterRuleEntry, Vec<u32>>::new();
        for rule in old_rules.iter().rev() {
            kept.entry(FilterRuleEntry { counter: 0, ..*rule }).or_default().push(rule.counter);
        }
        if old.is_none() {
            (entry.unmatched, entry.admitted) = (self.new_counter()?, self.new_counter()?);
        }
        for rule in rules {
            rule.counter = match kept.get_mut(rule).and_then(Vec::pop) {
                Some(counter) => counter,
                None => self.new_counter()?,
            };
        }
        Ok(())
    }

    fn new_counter(&mut self) -> Result<u32, EbpfError> {
        let [_, _, Spec { name, entries, setting, .. }, ..] = self.sizes.filter_specs();
        let counter =
            self.free_counters.pop_first().ok_or(EbpfError::Full { map: name, size: entries, setting })?;
        zero(&mut self.counters, counter).map_err(self.error(name))?;
        Ok(counter)
    }
}
