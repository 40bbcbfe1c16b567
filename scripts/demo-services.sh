#!/usr/bin/env bash
# Services inside of VRFs, for a person to read: two tenants with the same clients, the same VIPs and the same backends.
# Prints PASS or FAIL per claim; exits 1 if any failed.
set -uo pipefail

TOPOLOGY=containerlab/services.clab.yml
# The same in red and in blue: VIPs by service and family, clients by site.
declare -rA WEB=([IPv4]=10.100.0.1 [IPv6]=fd00:100::1) DNS=([IPv4]=10.100.0.2 [IPv6]=fd00:100::2)
declare -rA SHOP=([IPv4]=10.100.0.3 [IPv6]=fd00:100::3) IPERF=([IPv4]=10.100.0.4 [IPv6]=fd00:100::4)
declare -rA C1=([IPv4]=10.0.1.2 [IPv6]=fd00:1::2) C3=([IPv4]=10.0.3.2 [IPv6]=fd00:3::2)
# shellcheck source=scripts/demo-lib.sh
source "$(dirname "$0")/demo-lib.sh"
work_on_a_copy

vip_from() { # node, vrf, VIP with its length: provider edges whose route it has
  local family=vpnv4; [[ $3 = *:* ]] && family=vpnv6
  pe "$1" bgp routes "$family" "$3" --json | jq -r --arg vrf "$2" '.routes[] | select(.importedInto | index($vrf)) | .nextHop' | sed 's/fd00:ff::/pe/' | sort | xargs; }
advertised_by() { [ "$(vip_from "$1" "$2" "$3")" = "$4" ]; }
sid_of() { # vrf, prefix: the SID by which pe1 advertises it
  pe pe3 bgp routes vpnv4 "$2" --json | jq -r --arg vrf "$1" '.routes[] | select(.nextHop == "fd00:ff::1" and (.importedInto | index($vrf))) | .sid'; }
a_sid_of_its_own() { local vip site; vip=$(sid_of "$1" "$2") site=$(sid_of "$1" 10.0.11.0/24); echo "$2: $vip, 10.0.11.0/24: $site"; [ -n "$vip" ] && [ "$vip" != "$site" ]; }
the_ordinary_sid() { local vip site; vip=$(sid_of "$1" "$2") site=$(sid_of "$1" 10.0.11.0/24); echo "$2: $vip, 10.0.11.0/24: $site"; [ -n "$vip" ] && [ "$vip" = "$site" ]; }

# Every request is answered, by the tenant's own backends only, and these see the client's own address.
served_by() { # tenant, backends, client's node, its address, protocol, VIP, port
  local times=30 answers; answers=$(ask "$1-$3" "$5" "$6" "$7" $times)
  echo "answers: $(cut -d ' ' -f 1 <<<"$answers" | sort | uniq -c | awk '{printf "%s%d from %s", (NR == 1 ? "" : ", "), $1, $2}')"
  awk -v tenant="$1" -v backends=" $2 " -v client="$4" -v times=$times '
    { split($1, name, "-"); if (name[1] != tenant || !index(backends, " " name[2] " ") || $3 != client) { print "not expected: " $0; wrong = 1 }; seen[$1] = 1 }
    END { exit wrong || NR != times || length(seen) != split(backends, unused, " ") }' <<<"$answers"
}
served() { claim "$1" served_by "${@:2}"; sed 's/^/      /' "$WORK/out" | grep answers; }

backend() { # tenant, backends by number, state
  local number program=''
  for number in $2; do program+="s/{ address: \(10.0.1$number.2\|\"fd00:1$number::2\"\).* }/{ address: \1, state: $3 }/;"; done
  edit "$1" "$program" pe1 pe2
}

# One connection through a VIP that stays open: greets with its backend, then says back what it is told.
open_connection() { # node, VIP, port
  # shellcheck disable=SC2016
  coproc CONNECTION { on "$1" bash -c 'exec 3<>"/dev/tcp/$1/$2"; read -t 5 -r greeting <&3; echo "$greeting"
    while read -r word; do echo "$word" >&3; if read -t 5 -r back <&3; then echo "$back"; else echo lost; fi; done' open "$2" "$3" 2>/dev/null; }
  read -t 10 -r greeting <&"${CONNECTION[0]}"
}
lives() { echo "still there" >&"${CONNECTION[1]}"; local back; read -t 10 -r back <&"${CONNECTION[0]}"; echo "said back: $back"; [ "$back" = "still there" ]; }
ended() { ! lives; }
close_connection() { [ -z "${CONNECTION_PID:-}" ] || { kill "$CONNECTION_PID"; wait "$CONNECTION_PID"; } 2>/dev/null; }

throughput() { # node, address: megabits per second
  on "$1" iperf3 -c "$2" -t 3 -J >"$WORK/iperf.json" 2>/dev/null
  jq -r '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf.json"
}
# kill -9 of an agent in the middle of a transfer through a VIP, then a new agent: no second without data.
transfer_survives() { # node, address, provider edges
  on "$1" iperf3 -c "$2" -t 12 -b 200M -J >"$WORK/transfer.json" 2>&1 & local transfer=$! node
  for node in $3; do sleep 2; lab kill "$TOPOLOGY" "$node" --signal KILL; sleep 1.5; lab start "$TOPOLOGY" "$node"; done
  wait "$transfer"
  jq -r '"Mbit/s in each second: " + ([.intervals[].sum.bits_per_second / 1e6 | floor | tostring] | join(" "))' "$WORK/transfer.json"
  jq -e '.error == null and ([.intervals[].sum.bits_per_second] | length >= 12 and all(. > 0))' "$WORK/transfer.json" >/dev/null
}
refused() { # node, protocol, VIP, port: told at once
  local said; said=$(on "$1" bash -c 'exec 3<>"/dev/$1/$2/$3" && echo >&3 && timeout 3 cat <&3' refused "$2" "$3" "$4" 2>&1); echo "$said"; [[ $said = *"Connection refused"* ]]; }
path_mtu() { on "$1" ping -n -c 2 -W 2 -M do -s "$3" "$2" >"$WORK/ping" 2>&1; grep -E "mtu[ =:]+$4" "$WORK/ping"; }

bring_up "15 nodes: 3 provider edges, two of which have backends; the third one knows nothing of services"
sessions pe1 pe2 pe3

section "VIPs are VPN routes, each with a SID of the node that serves it"
for tenant in red blue; do
  for family in IPv4 IPv6; do
    length=$([ $family = IPv4 ] && echo 32 || echo 128)
    claim "$tenant, $family: pe3 has web's VIP from pe1 and from pe2" eventually 30 advertised_by pe3 $tenant "${WEB[$family]}/$length" "pe1 pe2"
    claim "$tenant, $family: pe3 has shop's VIP from pe1 and from pe2" eventually 30 advertised_by pe3 $tenant "${SHOP[$family]}/$length" "pe1 pe2"
  done
  claim "$tenant: web (Cluster) has a SID of its own, by which any backend is taken" a_sid_of_its_own $tenant 10.100.0.1/32
  claim "$tenant: shop (Local) has the VRF's ordinary SID, by which backends behind the node are taken" the_ordinary_sid $tenant 10.100.0.3/32
done
shown pe pe3 bgp routes vpnv4 10.100.0.1/32
shown pe pe3 bgp routes vpnv6 fd00:100::3/128
shown pe pe1 services

section "Cluster: any of the tenant's own backends, which see the client's own address"
for tenant in red blue; do
  for family in IPv4 IPv6; do
    served "$tenant, $family: web over TCP from the client behind pe1" $tenant "b1 b2 b3" c1 "${C1[$family]}" tcp "${WEB[$family]}" 80
    served "$tenant, $family: web over TCP from the client behind pe3" $tenant "b1 b2 b3" c3 "${C3[$family]}" tcp "${WEB[$family]}" 80
    served "$tenant, $family: dns over UDP from the client behind pe3" $tenant "b1 b2 b3" c3 "${C3[$family]}" udp "${DNS[$family]}" 53
  done
done

section "Local: backends behind the node that the packet comes to"
for tenant in red blue; do
  for family in IPv4 IPv6; do
    served "$tenant, $family: shop over TCP from the client behind pe1" $tenant "b1 b2" c1 "${C1[$family]}" tcp "${SHOP[$family]}" 80
    served "$tenant, $family: shop over UDP from the client behind pe1" $tenant "b1 b2" c1 "${C1[$family]}" udp "${SHOP[$family]}" 80
  done
done

section "A backend drains, and goes"
greeting=''
while [[ $greeting != red-b1* ]]; do close_connection; open_connection red-c3 10.100.0.1 80; done
echo "an open connection: $greeting"
claim "red's b1 is drained" backend red 1 draining
claim "the connection that b1 has lives on" lives
served "new connections go to the others" red "b2 b3" c3 "${C3[IPv4]}" tcp "${WEB[IPv4]}" 80
served "blue's b1, with the same address, serves as before" blue "b1 b2 b3" c3 "${C3[IPv4]}" tcp "${WEB[IPv4]}" 80
claim "red's b1 is down" backend red 1 down
claim "its connection has ended" ended
close_connection
shown pe pe1 services

section "A VIP without ready backends is withdrawn"
claim "red's b2 is down as well: none is left behind pe1" backend red "1 2" down
for family in IPv4 IPv6; do
  length=$([ $family = IPv4 ] && echo 32 || echo 128)
  claim "red, $family: pe3 has shop's VIP (Local) from pe2 only" eventually 10 advertised_by pe3 red "${SHOP[$family]}/$length" pe2
  claim "red, $family: pe3 has web's VIP (Cluster) from both" eventually 10 advertised_by pe3 red "${WEB[$family]}/$length" "pe1 pe2"
  claim "blue, $family: pe3 has shop's VIP from both" advertised_by pe3 blue "${SHOP[$family]}/$length" "pe1 pe2"
  served "red, $family: shop is served behind pe2" red b3 c3 "${C3[$family]}" tcp "${SHOP[$family]}" 80
done
claim "red has no backend at all" backend red "1 2 3" down
claim "pe3 has red's VIPs from nobody" eventually 10 advertised_by pe3 red 10.100.0.1/32 ""
claim "who asks where the service is configured is refused at once: TCP" refused red-c1 tcp 10.100.0.1 80
claim "who asks where the service is configured is refused at once: UDP" refused red-c1 udp fd00:100::2 53
shown pe pe1 drops
claim "red's backends are back" backend red "1 2 3" ready
claim "pe3 has red's VIPs again" eventually 10 advertised_by pe3 red 10.100.0.1/32 "pe1 pe2"
served "red is served as before" red "b1 b2 b3" c3 "${C3[IPv4]}" tcp "${WEB[IPv4]}" 80

section "TCP through a VIP, all links at MTU 1500"
for family in IPv4 IPv6; do
  for client in c1 c3; do
    mbits=$(throughput red-$client "${IPERF[$family]}")
    result "$([ "${mbits:-0}" -gt 100 ]; echo $?)" "red, $family, client behind pe${client#c}: ${mbits:-0} Mbit/s"
  done
done

section "kill -9 of the agents during a transfer through a VIP"
transfer_survives red-c3 10.100.0.4 "pe1 pe2" >"$WORK/kill" 2>&1; status=$?
result $status "no second without data while the agents of pe1 and pe2 are killed in turn: $(tail -n 1 "$WORK/kill")"
for node in pe1 pe2; do claim "$node's new session is established" eventually 60 established $node; done
served "red is served by the new agents" red "b1 b2 b3" c3 "${C3[IPv6]}" tcp "${WEB[IPv6]}" 80

section "ICMP"
for family in IPv4 IPv6; do claim "$family: the VIP answers pings" on red-c3 ping -n -c 3 -i 0.2 -W 2 "${WEB[$family]}"; done
claim "IPv4: a VIP's client learns the path's MTU" path_mtu red-c3 10.100.0.1 1472 1460
claim "IPv6: a VIP's client learns the path's MTU" path_mtu red-c3 fd00:100::1 1452 1460
for number in 1 2 3; do lab kill "$TOPOLOGY" red-b$number --signal KILL; done
claim "IPv4: no server runs, and the backends' port unreachable reaches the client as the VIP's" refused red-c3 udp 10.100.0.2 53
claim "IPv6: no server runs, and the backends' port unreachable reaches the client as the VIP's" refused red-c3 udp fd00:100::2 53
for number in 1 2 3; do lab start "$TOPOLOGY" red-b$number; done

section "Counters"
shown pe pe1 services
shown pe pe2 services
shown pe pe1 counters
shown pe pe1 drops

finish
