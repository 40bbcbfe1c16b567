//! The provider edge model: intent in, desired dataplane and advertisements out.

pub mod intent;
