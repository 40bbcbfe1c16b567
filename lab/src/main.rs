//! Runs containerlab topologies in network namespaces on one machine.
fn main() {}
