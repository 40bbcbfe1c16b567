//! sixedge: one program that turns a Linux or Kubernetes node into an SRv6 L3VPN provider edge.
mod kernel;
mod report;
fn main() {}
