#!/usr/bin/env bash
# Figures of our speaker and dataplane beside bird2, frr, the kernel and its netfilter, all in turn on this machine. The work is in
# `bench/`; this sees to it that nothing stays behind. docs/performance.md says how to read them.
set -uo pipefail

BIN=$(realpath "${1:?usage: bench.sh FOLDER-OF-THE-BINARIES}")
TMPDIR=$(mktemp -d)
export TMPDIR SIXEDGE_LOG=error
readonly BIN

clean_up() {
  local namespace
  for namespace in /run/netns/bench-*; do
    [ -e "$namespace" ] && ip netns del "${namespace##*/}"
  done
  rm -rf "$TMPDIR"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

failed=0
part() { local title=$1; shift; printf '\n== %s\n' "$title"; "$BIN/bench" "$@" || failed=1; }

echo "$(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r), load $(cut -d ' ' -f 1 /proc/loadavg)"
dpkg-query -W -f '${Package} ${Version}\n' bird2 frr iperf3 nftables iptables 2>/dev/null | paste -sd ',' | sed 's/,/, /g'

part "BGP speaker: a route reflector, one sender, one receiver" speaker --sixedge "$BIN/sixedge"
part "Dataplane: one route" dataplane
part "Dataplane: many routes" fib
part "Services: VIPs beside netfilter's DNAT" services --rounds 5 --packets 200000
part "Services: many flows" flows --rounds 5 --packets 300000
part "Egress addresses beside netfilter's source NAT" egress --rounds 5 --packets 300000
part "Filters beside netfilter's" filters --rounds 5 --packets 200000
part "Kubernetes: from the whole world to one node" kubernetes
part "Kubernetes: the same, all pods in one VRF" kubernetes --vrfs 1
part "Dataplane: TCP with segmentation offload" tcp
exit "$failed"
