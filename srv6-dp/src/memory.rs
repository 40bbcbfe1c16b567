//! A dataplane that forwards nothing, for the tests of those who drive one.

use crate::{
    Change, Dataplane, State,
    model::{Counters, DataplaneError},
};

/// Holds a [`State`] as the kernel would, and remembers how it came about.
#[derive(Clone, Debug, Default)]
pub struct MemoryDataplane {
    state: State,
    applied: Vec<Change>,
    counters: Counters,
}

impl MemoryDataplane {
    /// Starts with `state`, as after a restart onto pinned maps.
    pub fn with_state(state: State) -> Self {
        Self { state, ..Self::default() }
    }

    /// What is held.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Every change since the start, in order.
    pub fn applied(&self) -> &[Change] {
        &self.applied
    }

    /// Sets what [`Dataplane::counters`] answers.
    pub fn set_counters(&mut self, counters: Counters) {
        self.counters = counters;
    }
}

impl Dataplane for MemoryDataplane {
    fn observe(&self) -> Result<State, DataplaneError> {
        Ok(self.state.clone())
    }

    fn apply(&mut self, change: &Change) -> Result<(), DataplaneError> {
        self.state
            .apply(change)
            .map_err(|refusal| DataplaneError { what: change.to_string(), source: Box::new(refusal) })?;
        self.applied.push(change.clone());
        Ok(())
    }

    fn counters(&self) -> Result<Counters, DataplaneError> {
        Ok(self.counters.clone())
    }
}

#[cfg(test)]
mod tests {
    use srv6_types::{Behavior, Sid, VrfId};

    use super::*;
    use crate::model::{LocalSid, SidRole, Vrf};

    #[test]
    fn refuses_a_sid_of_a_vrf_that_is_not_there() {
        let mut dataplane = MemoryDataplane::default();
        let sid = Change::SetSid(
            Sid([1; 16]),
            LocalSid { behavior: Behavior::END_DT46, vrf: VrfId(7), role: SidRole::Deliver },
        );
        let error = dataplane.apply(&sid).unwrap_err();
        assert!(error.to_string().contains("VRF 7 does not exist"), "{error}");
        dataplane.apply(&Change::SetVrf(VrfId(7), Vrf::default())).unwrap();
        dataplane.apply(&sid).unwrap();
        assert_eq!(dataplane.applied().len(), 2);
    }
}
