//! Sets of rules: written whole, swung in, swept.

use std::collections::BTreeSet;

use aya::{
    Pod,
    maps::{MapError, lpm_trie::Key},
};

use super::*;

impl Filters {
    /// A set that no filter had before.
    pub(super) fn new_set(&mut self) -> Result<u32, EbpfError> {
        let error = self.error("FILTERS");
        let last = match self.filters.get(&LAST, 0) {
            Ok(entry) => entry.set,
            Err(MapError::KeyNotFound) => 0,
            Err(source) => return Err(error(source)),
        };
        let set = last.wrapping_add(1);
        let entry = FilterEntry { set, ..FilterEntry::default() };
        self.filters.insert(LAST, entry, 0).map_err(error)?;
        Ok(set)
    }

    /// Writes a set that no packet sees yet.
    pub(super) fn write_set(
        &mut self,
        entry: &mut FilterEntry,
        filter: &Filter,
        rules: &[FilterRuleEntry],
    ) -> Result<(), EbpfError> {
        let set = entry.set;
        let counters: Vec<_> = rules.iter().map(|rule| rule.counter).collect();
        let Entries { flags, classes4, classes6, ports } = Entries::new(filter, set, &counters)?;
        entry.flags = flags;
        let error = self.error("FILTER_RULES");
        for (rule, entry) in (0..).zip(rules) {
            self.rules.insert(FilterRuleKey { set, rule }, entry, 0).map_err(&error)?;
        }
        insert(&mut self.classes4, &classes4).map_err(self.error("FILTER_CLASSES4"))?;
        insert(&mut self.classes6, &classes6).map_err(self.error("FILTER_CLASSES6"))?;
        insert(&mut self.ports, &ports).map_err(self.error("FILTER_PORTS"))
    }

    /// Puts a set in force, in one step.
    pub(super) fn swing(&mut self, id: FilterId, entry: FilterEntry) -> Result<(), EbpfError> {
        let error = self.error("FILTERS");
        self.filters.insert(id.0, entry, 0).map_err(error)
    }

    /// Removes a set that is in force no more, and frees its counters but those of `kept`.
    pub(super) fn retire(
        &mut self,
        entry: &FilterEntry,
        rules: &[FilterRuleEntry],
        kept: &BTreeSet<u32>,
    ) -> Result<(), EbpfError> {
        // Or a packet that has read the old entry would find half a set, and be let through.
        let_packets_pass();
        if let Some(filter) = codec::decode(rules) {
            self.remove_set(entry.set, &filter, rules)?;
        }
        self.free_counters.extend(self.counters_of(entry, rules).difference(kept));
        Ok(())
    }

    pub(super) fn remove_set(
        &mut self,
        set: u32,
        filter: &Filter,
        rules: &[FilterRuleEntry],
    ) -> Result<(), EbpfError> {
        let error = self.error("FILTER_RULES");
        for rule in 0..rules.len() as u32 {
            absent_is_fine(self.rules.remove(&FilterRuleKey { set, rule })).map_err(&error)?;
        }
        // What cannot be compiled was never written.
        let Ok(entries) = Entries::new(filter, set, &vec![0; rules.len()]) else { return Ok(()) };
        self.classes4.remove(&keys(&entries.classes4)).map_err(self.error("FILTER_CLASSES4"))?;
        self.classes6.remove(&keys(&entries.classes6)).map_err(self.error("FILTER_CLASSES6"))?;
        self.ports.remove(&keys(&entries.ports)).map_err(self.error("FILTER_PORTS"))
    }

    /// Removes every set but `live`: a process has died before it could.
    pub(super) fn sweep(&mut self, live: &BTreeSet<u32>) -> Result<(), EbpfError> {
        let of_side = |side: [u8; 4]| u32::from_be_bytes(side) >> 1;
        sweep(&mut self.classes4, live, |key| of_side(key.side))
            .map_err(self.sizes.error("FILTER_CLASSES4"))?;
        sweep(&mut self.classes6, live, |key| of_side(key.side))
            .map_err(self.sizes.error("FILTER_CLASSES6"))?;
        sweep(&mut self.ports, live, |key| u32::from_be_bytes(key.set))
            .map_err(self.sizes.error("FILTER_PORTS"))?;
        let error = self.error("FILTER_RULES");
        let rules: Vec<_> = self.rules.keys().collect::<Result<_, _>>().map_err(&error)?;
        for key in rules.iter().filter(|key| !live.contains(&key.set)) {
            absent_is_fine(self.rules.remove(key)).map_err(&error)?;
        }
        Ok(())
    }
}

fn keys<K: Pod, V>(entries: &[(u32, K, V)]) -> Vec<Key<K>> {
    entries.iter().map(|(length, key, _)| Key::new(*length, *key)).collect()
}

fn insert<K: Pod, V: Pod>(trie: &mut Trie<K, V>, entries: &[(u32, K, V)]) -> Result<(), MapError> {
    let values: Vec<_> = entries.iter().map(|(.., value)| *value).collect();
    trie.insert(&keys(entries), &values).map_err(|(_, source)| source)
}

fn sweep<K: Pod, V: Pod>(
    trie: &mut Trie<K, V>,
    live: &BTreeSet<u32>,
    set: impl Fn(K) -> u32,
) -> Result<(), MapError> {
    let entries = trie.read()?;
    let dead = entries.iter().map(|(key, _)| *key).filter(|key| !live.contains(&set(key.data())));
    trie.remove(&dead.collect::<Vec<_>>())
}
