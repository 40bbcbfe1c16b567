#!/usr/bin/env bash
# Egress addresses inside of VRFs, for a person to read: two tenants with the same pods, the same egress addresses and the
# same outside. Prints PASS or FAIL per claim; exits 1 if any failed.
set -uo pipefail

TOPOLOGY=containerlab/egress.clab.yml
# The same in red and in blue.
declare -rA OUTSIDE=([IPv4]=203.0.113.10 [IPv6]=2001:db8:113::10) EGRESS=([IPv4]=192.0.2.7 [IPv6]=2001:db8:2::7)
declare -rA EXCEPTED=([IPv4]=10.0.3.10 [IPv6]=fd00:3::10) POD=([IPv4]=10.0.1.2 [IPv6]=fd00:1::2) DB=([IPv4]=10.0.2.2 [IPv6]=fd00:2::2)
# shellcheck source=scripts/demo-lib.sh
source "$(dirname "$0")/demo-lib.sh"
work_on_a_copy

gateway_is() { # vrf, provider edge: where pe1's packets to the outside go
  pe pe1 vrf "$1" routes --json | jq -e --arg pe "fd00:ff::${2#pe}" '
    [.routes[] | select((.prefix == "192.0.2.7/32" or .prefix == "2001:db8:2::7/128") and .programmed) | .remote] | length == 2 and all(. == $pe)' >/dev/null; }
await_gateway() { claim "$1: the gateway is $2" eventually 30 gateway_is "$1" "$2"; }

# Every request is answered by the tenant's own firewall, which sees this source.
seen_as() { # tenant, source, host, protocol, address, times
  local answers; answers=$(ask "$1-$3" "$4" "$5" 8080 "$6")
  head -n 1 <<<"$answers"
  awk -v tenant="$1-fw" -v address="$2" -v times="$6" '
    $1 != tenant || $3 != address { print "not expected: " $0; wrong = 1 } END { exit wrong || NR != times }' <<<"$answers"
}
seen() { claim "$1" seen_as "${@:2}"; sed -n '1s/^/      /p' "$WORK/out"; }
both_at_once() {
  seen_as red "${EGRESS[IPv4]}" pod tcp "${OUTSIDE[IPv4]}" 100 >"$WORK/red" & local one=$!
  seen_as blue "${EGRESS[IPv4]}" pod tcp "${OUTSIDE[IPv4]}" 100 >"$WORK/blue" & local two=$!
  wait $one; one=$?; wait $two; two=$?
  cat "$WORK/red" "$WORK/blue"; [ $one = 0 ] && [ $two = 0 ]
}

# A hundred pings a second to the outside while something happens; the longest time between two answers in milliseconds.
outage() { # seconds, command...
  local seconds=$1; shift
  on red-pod ping -n -D -i 0.01 -w "$seconds" "${OUTSIDE[IPv4]}" >"$WORK/pings" 2>&1 & local pings=$!
  sleep 1; "$@" >>"$WORK/happened" 2>&1
  wait $pings
  awk -v end="$(date +%s)" '
    /bytes from/ { now = substr($1, 2) + 0; if (last && now - last > gap) gap = now - last; last = now }
    END { if (end - last > gap) gap = end - last; printf "%d", gap * 1000 }' "$WORK/pings"
}
agent_dies() { lab kill "$TOPOLOGY" pe2 --signal KILL; sleep 2; lab start "$TOPOLOGY" pe2; }
shut_down_gracefully() { edit red 's/localPreference: 200/localPreference: 200, gracefulShutdown: true/' pe2; }
come_back() { edit red 's/, gracefulShutdown: true//' pe2; }
dies_unseen() { on p ip link set eth2 down; lab kill "$TOPOLOGY" pe2 --signal KILL; }
# What the IGP of a real core does: there is no way to pe2's locator any more.
dies() { dies_unseen; on pe1 ip -6 route replace unreachable fc00:0:2::/48; on pe3 ip -6 route replace unreachable fc00:0:2::/48; }
returns() {
  on pe1 ip -6 route del unreachable fc00:0:2::/48
  on pe3 ip -6 route del unreachable fc00:0:2::/48
  on p ip link set eth2 up
  on p ip address replace fd00:c:2::fe/64 dev eth2 nodad
  on p ip -6 route replace fc00:0:2::/48 via fd00:c:2::1
  on p ip -6 route replace fd00:ff::2/128 via fd00:c:2::1
  lab start "$TOPOLOGY" pe2
}
moved() { # milliseconds, at most, how
  result "$([ "${1:-99999}" -le "$2" ]; echo $?)" "$3: ${1:-?} ms without an answer"; }

small_block() { edit red 's/localPreference: 200/localPreference: 200, ports: 20000-20015, portBlock: 8/' pe2; }
# Twelve flows of a host that may have eight ports.
exhausts() {
  local answers; answers=$(ask red-pod udp "${OUTSIDE[IPv4]}" 8080 12)
  echo "$(grep -c . <<<"$answers") of 12 flows were answered, from ports $(awk '{print $5}' <<<"$answers" | sort -n | xargs)"
  awk '$5 < 20000 || $5 > 20007 { wrong = 1 } END { exit wrong || NR != 8 }' <<<"$answers"
}
dropped() { pe "$1" drops --json | jq -e --arg vrf "$2" --arg reason "$3" 'any(.drops[]; .vrf == $vrf and .reason == $reason)' >/dev/null; }

bring_up "11 nodes: pods behind pe1, gateways pe2 (preferred) and pe3, firewalls behind pe3"
sessions pe1 pe2 pe3

section "Egress addresses are VPN routes, each with an egress SID of its gateway"
for tenant in red blue; do await_gateway $tenant pe2; done
shown pe pe1 bgp routes vpnv4 192.0.2.7/32
shown pe pe1 bgp routes vpnv6 2001:db8:2::7/128
shown pe pe2 sids
shown pe pe2 egress

section "The outside sees the egress address, and its answers come back"
for tenant in red blue; do
  for family in IPv4 IPv6; do
    seen "$tenant, $family: TCP of the pod" $tenant "${EGRESS[$family]}" pod tcp "${OUTSIDE[$family]}" 20
    seen "$tenant, $family: UDP of the pod" $tenant "${EGRESS[$family]}" pod udp "${OUTSIDE[$family]}" 20
    claim "$tenant, $family: pings of the pod are answered" on $tenant-pod ping -n -c 3 -i 0.2 -W 2 "${OUTSIDE[$family]}"
  done
done
claim "both tenants at once, 100 connections each" both_at_once

section "Who and what the policy does not name keeps its address"
for tenant in red blue; do
  for family in IPv4 IPv6; do
    seen "$tenant, $family: a host outside of the policy" $tenant "${DB[$family]}" db tcp "${OUTSIDE[$family]}" 3
    seen "$tenant, $family: the pod to a destination that is excepted" $tenant "${POD[$family]}" pod tcp "${EXCEPTED[$family]}" 3
  done
done

section "A gateway goes"
moved "$(outage 10 agent_dies)" 500 "kill -9 of the gateway's agent, and a new one"
claim "pe2's new session is established" eventually 60 established pe2
for tenant in red blue; do await_gateway $tenant pe2; done
moved "$(outage 6 shut_down_gracefully)" 500 "GRACEFUL_SHUTDOWN at pe2, for red"
await_gateway red pe3
await_gateway blue pe2
seen "red: the same address by the stand-by" red "${EGRESS[IPv4]}" pod tcp "${OUTSIDE[IPv4]}" 5
moved "$(outage 6 come_back)" 500 "red goes back to pe2"
await_gateway red pe2
moved "$(outage 6 dies)" 2000 "pe2 dies, and the IGP has no way to its locator"
for tenant in red blue; do
  await_gateway $tenant pe3
  for family in IPv4 IPv6; do
    seen "$tenant, $family: the same address by the stand-by" $tenant "${EGRESS[$family]}" pod tcp "${OUTSIDE[$family]}" 5
  done
done
returns >/dev/null 2>&1
claim "pe2's new session is established" eventually 60 established pe2
for tenant in red blue; do await_gateway $tenant pe2; done
moved "$(outage 50 dies_unseen)" 45000 "pe2 dies, and only BGP can tell (hold time 3 s, restartTime 30 s)"
for tenant in red blue; do await_gateway $tenant pe3; done
returns >/dev/null 2>&1
claim "pe2's new session is established" eventually 60 established pe2
for tenant in red blue; do await_gateway $tenant pe2; done

section "Ports run out for the host that takes too many"
claim "red's gateway gives a host eight ports" small_block
claim "red: twelve flows of the pod get eight ports" exhausts
sed 's/^/      /' "$WORK/out"
claim "pe2 names the reason: ports-exhausted" dropped pe2 red ports-exhausted
seen "blue has as many as ever" blue "${EGRESS[IPv4]}" pod udp "${OUTSIDE[IPv4]}" 20
shown pe pe2 drops

section "Counters"
shown pe pe1 egress
shown pe pe2 egress
shown pe pe2 counters

finish
