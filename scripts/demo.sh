#!/usr/bin/env bash
# The main job, for a person to read: two provider edges, two tenants with the same addresses, a real route reflector.
# Prints PASS or FAIL per claim; exits 1 if any failed.
set -uo pipefail

readonly TOPOLOGY=containerlab/l3vpn.clab.yml
readonly SITE2_V4=10.0.2.2 SITE2_V6=fd00:2::2   # the same in red and in blue
# shellcheck source=scripts/demo-lib.sh
source "$(dirname "$0")/demo-lib.sh"

pings() { on "$1" ping -n -c 5 -i 0.2 -W 2 "$2"; }
echoes() { # echo requests that a host has answered so far, both families
  on "$1" cat /proc/net/snmp /proc/net/snmp6 | awk '/^Icmp:/ && !h {split($0, n); h = 1; next} /^Icmp:/ {for (i in n) if (n[i] == "InEchos") v4 = $i} /^Icmp6InEchos/ {v6 = $2} END {print v4 + v6}'; }

# Pings site 2 from a tenant's site 1 and counts who answered: every echo must come out at this tenant, none at the other.
stays_in_tenant() { # tenant, other, address
  local own other
  own=$(echoes "$1-ce2") other=$(echoes "$2-ce2")
  pings "$1-ce1" "$3" || return 1
  own=$(($(echoes "$1-ce2") - own)) other=$(($(echoes "$2-ce2") - other))
  echo "$own echo requests arrived at $1-ce2, $other at $2-ce2"
  [ "$own" = 5 ] && [ "$other" = 0 ]
}
unreachable() { ! on "$1" ping -n -c 3 -i 0.2 -W 1 "$2"; }

throughput() { # tenant, family flag, address: megabits per second
  on "$1-ce2" iperf3 -s -1 -D --pidfile /tmp/iperf3.pid >/dev/null
  sleep 0.5
  on "$1-ce1" iperf3 "$2" -c "$3" -t 3 -J >"$WORK/iperf.json" 2>/dev/null
  jq -r '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf.json"
}

# One packet of a kind as it crosses the P router: outer header, flow label, SID, inner packet.
on_the_core() { # tenant, address, capture filter for the inner protocol
  on p timeout 8 tcpdump -i eth1 -c 1 -w - --immediate-mode -U "ip6 and ip6[6] == $3 and src fd00:ff::1" >"$WORK/core.pcap" 2>/dev/null &
  local capture=$!
  sleep 1
  on "$1-ce1" ping -n -c 3 -i 0.2 "$2" >/dev/null
  wait "$capture"
  tshark -r "$WORK/core.pcap" -V 2>/dev/null \
    | grep -E '^Internet Protocol|Flow Label|Traffic Class:|Next Header|Destination Address|Source Address|Time to Live|Hop Limit|^Internet Control' \
    | sed 's/^ */    /' | awk '!seen[$0]++'
  [ -s "$WORK/core.pcap" ] && tshark -r "$WORK/core.pcap" 2>/dev/null | grep -q .
}

# kill -9 in the middle of a flood of pings, then a new agent: the pinned dataplane forwards all the while.
survives_kill() {
  on red-ce1 ping -n -q -i 0.002 -c 5000 -W 2 "$SITE2_V4" >"$WORK/flood" 2>&1 &
  local flood=$!
  sleep 3; lab kill "$TOPOLOGY" pe1 --signal KILL
  sleep 4; lab start "$TOPOLOGY" pe1
  wait "$flood"
  grep -E 'transmitted' "$WORK/flood"
  grep -q ' 0% packet loss' "$WORK/flood"
}

bring_up "8 nodes, 2 provider edges, 1 P router, FRR as route reflector"
sessions pe1 pe2

section "VPN routes, as they came through FRR: RD, route targets, SID, label"
for tenant in red blue; do
  claim "pe1 has imported $tenant's 10.0.2.0/24 and programmed it" eventually 30 imported pe1 "$tenant" 10.0.2.0/24
  claim "pe1 has imported $tenant's fd00:2::/64 and programmed it" eventually 30 imported pe1 "$tenant" fd00:2::/64
  claim "pe2 has imported $tenant's 10.0.1.0/24 and programmed it" eventually 30 imported pe2 "$tenant" 10.0.1.0/24
done
shown pe pe1 bgp routes vpnv4
shown pe pe1 bgp routes vpnv6
shown pe pe1 vrf red routes
shown pe pe1 sids

section "Each tenant reaches its own side: red and blue use the same addresses"
for tenant in red blue; do
  claim "$tenant, IPv4: five pings to $SITE2_V4 reach $tenant-ce2, and none reaches $(other $tenant)-ce2" stays_in_tenant $tenant "$(other $tenant)" $SITE2_V4
  claim "$tenant, IPv6: five pings to $SITE2_V6 reach $tenant-ce2, and none reaches $(other $tenant)-ce2" stays_in_tenant $tenant "$(other $tenant)" $SITE2_V6
done
claim "blue reaches 10.9.9.9, which only blue has" pings blue-ce1 10.9.9.9
claim "red does not reach blue's 10.9.9.9" unreachable red-ce1 10.9.9.9
shown on red-ce1 ping -n -c 1 -W 1 10.9.9.9

section "TCP through the tunnel, all links at MTU 1500"
for family in -4 -6; do
  address=$([ $family = -4 ] && echo $SITE2_V4 || echo $SITE2_V6)
  mbits=$(throughput red $family "$address")
  result "$([ "${mbits:-0}" -gt 100 ]; echo $?)" "red, IPv${family#-}: ${mbits:-0} Mbit/s"
done

section "On the wire between pe1 and p"
echo "an IPv4 packet of red:"; on_the_core red $SITE2_V4 4; result $? "IPv4 in SRv6 seen on the core link"
echo "an IPv6 packet of blue:"; on_the_core blue $SITE2_V6 41; result $? "IPv6 in SRv6 seen on the core link"

section "Counters per tenant"
shown pe pe1 counters
shown pe pe1 drops

section "kill -9 of pe1's agent under 500 pings a second, and a new agent"
survives_kill >"$WORK/kill" 2>&1; status=$?
result $status "no packet lost: $(tail -n 1 "$WORK/kill")"
claim "the new agent's session is established" eventually 60 established pe1
claim "the new agent has red's routes again" eventually 30 imported pe1 red 10.0.2.0/24
claim "red still reaches its other site" pings red-ce1 $SITE2_V4

finish
