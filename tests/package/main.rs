//! What `deploy/` and the Containerfile say, held against the programs, a real API server and the kernel. Parts need root, and what
//! `make testapi` and `scripts/image.sh programs dev` build; where that is missing they say so and skip.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails at that place")]

mod container;
mod image;
mod kubectl;
mod manifests;
mod peer;
mod privileges;
mod rbac;
