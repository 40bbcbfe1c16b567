#!/usr/bin/env bash
# The dependency rules of docs/architecture.md, checked on cargo's own tree.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0
forbid() { # crate, forbidden crate (exact name)
  if cargo tree --locked --edges normal --prefix none -p "$1" | grep -q "^$2 v"; then
    echo "dependency rule broken: $1 must not depend on $2" >&2
    cargo tree --locked --edges normal -p "$1" -i "$2" >&2 || true
    failed=1
  fi
}

for pure in bgp-wire bgp-core srv6-types vrf-manager; do forbid "$pure" tokio; forbid "$pure" aya; done
for crate in bgp-wire bgp-core bgpd srv6-types srv6-dp vrf-manager lab; do forbid "$crate" sixedge; forbid "$crate" kube; done
for crate in bgp-wire bgp-core bgpd srv6-types srv6-dp lab; do forbid "$crate" vrf-manager; done
for forbidden in sixedge kube k8s-sync aya; do forbid cni "$forbidden"; done
for ours in bgp-wire bgp-core bgpd srv6-types srv6-dp vrf-manager; do forbid lab "$ours"; done
for crate in bgp-wire bgp-core bgpd srv6-dp vrf-manager; do forbid sixedge-ebpf "$crate"; done
[ "$failed" = 0 ] && echo "dependency rules hold"
exit "$failed"
