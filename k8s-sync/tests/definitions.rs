//! What the API server makes of our custom resources: what it refuses with which remedy, what it fills in, what it prints.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod definitions {
    mod accepted;
    mod agreement;
    mod columns;
    mod examples;
    mod immutable;
    mod refused;
    mod spec;
}
