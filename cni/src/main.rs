//! The CNI plugin: what the runtime calls for each interface of each pod.

fn main() {}
