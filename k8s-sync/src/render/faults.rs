use std::{fmt, str::FromStr};

use super::{Problem, Reason};
use crate::world::{Key, ObjectRef};

/// What is wrong with one object.
pub(super) struct Faults<'a> {
    object: ObjectRef,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Faults<'a> {
    pub(super) fn of_namespaced(kind: &str, key: &Key, problems: &'a mut Vec<Problem>) -> Self {
        Self { object: ObjectRef::namespaced(kind, key), problems }
    }

    pub(super) fn of_cluster(kind: &str, name: &str, problems: &'a mut Vec<Problem>) -> Self {
        Self { object: ObjectRef::cluster(kind, name), problems }
    }

    pub(super) fn add(&mut self, reason: Reason, message: impl Into<String>) {
        self.problems.push(Problem { object: self.object.clone(), reason, message: message.into() });
    }

    /// Text at a place of the object; what means nothing is left out.
    pub(super) fn read<T: FromStr>(
        &mut self,
        place: impl fmt::Display,
        text: &str,
        what: &str,
        remedy: &str,
    ) -> Option<T> {
        let value = text.parse().ok();
        if value.is_none() {
            self.add(Reason::Invalid, format!("{place}: {text:?} is no {what}; {remedy}"));
        }
        value
    }
}
