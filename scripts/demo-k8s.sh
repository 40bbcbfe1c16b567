#!/usr/bin/env bash
# Pods of two tenants in VRFs, told by a Kubernetes API server, for a person to read: two nodes, the tenants' sites behind a
# provider edge that knows nothing of Kubernetes. Prints PASS or FAIL per claim; exits 1 if any failed.
set -uo pipefail

TOPOLOGY=containerlab/kubernetes.clab.yml
# The same in red and in blue: the tenant's site, and the world outside behind it.
declare -rA SITE=([IPv4]=10.0.3.2 [IPv6]=fd00:3::2) WORLD=([IPv4]=203.0.113.10 [IPv6]=2001:db8:113::10)
declare -rA VIP=([IPv4]=10.100.0.1 [IPv6]=fd00:100::1) EGRESS=([IPv4]=192.0.2.7 [IPv6]=2001:db8:2::7)
export SIXEDGE_TESTAPI=${SIXEDGE_TESTAPI:-${XDG_CACHE_HOME:-$HOME/.cache}/sixedge/testapi}
[ -x "$SIXEDGE_TESTAPI/bin/testapi" ] || {
  echo "demo-k8s: NO API SERVER: $SIXEDGE_TESTAPI/bin/testapi is missing; make testapi builds it, and says what it wants" >&2; exit 3; }
# shellcheck source=scripts/demo-lib.sh
source "$(dirname "$0")/demo-lib.sh"
# shellcheck source=scripts/demo-cluster.sh
source scripts/demo-cluster.sh

api_answers() { kubectl get --raw /readyz; }
stop_api() { lab kill "$TOPOLOGY" api --signal KILL; }
start_api() { lab start "$TOPOLOGY" api && eventually 60 api_answers; }
# As a kubelet does for a pod that has ended.
keep_controller() { lab inspect "$TOPOLOGY" --json | jq -e '.[] | select(.name == "controller") | .main != [] and .main != null' >/dev/null || lab start "$TOPOLOGY" controller; }
apply_crds() { on controller sixedge crds | kubectl apply --server-side -f -; }
locator() { kubectl get locatorpool nodes -o json | jq -er --arg node "$1" '.status.allocations[] | select(.node == $node) | .locator'; }
# As the IGP of a real core does.
lead_to_locators() { local n; for n in 1 2; do on p ip -6 route replace "$(locator node$n)" via fd00:c:$n::1 || return; done; }
node_ready() { is "nodestate/$1" Ready True; }
vrf_ready() { is "vrf/$1" Ready True && [ "$(kubectl get vrf "$1" -o jsonpath='{.status.nodes.summary}')" = 2/2 ]; }

# Answered each time, by this one, who sees this one.
answered_by() { # who, address that is seen or nothing, command of ask...
  local who=$1 sees=$2 answers; shift 2
  answers=$("$@"); head -n 1 <<<"$answers"
  awk -v who="$who" -v sees="$sees" -v times="${!#}" '
    $1 != who || (sees != "" && $3 != sees) { print "not expected: " $0; wrong = 1 } END { exit wrong || NR != times }' <<<"$answers"
}
answered() { claim "$1" answered_by "${@:2}"; sed -n '1s/^/      /p' "$WORK/out"; }
# Nobody answers. Where somebody does, it says who.
silent() { ! patience=3 "$@" | grep .; }
equal_addresses() { local f; for f in IPv4 IPv6; do
  echo "red: $(pod_address red-shop client $f), blue: $(pod_address blue-shop client $f)"
  [ "$(pod_address red-shop client $f)" = "$(pod_address blue-shop client $f)" ] || return 1; done; }
refused_pod() { # namespace, name: what the plugin says
  ! start_pod node1 tenants "$1" "$2" guest >"$WORK/refused" 2>&1; local status=$?
  cat "$WORK/refused"; kubectl delete pod "$2" -n "$1" >/dev/null; on node1 pod del tenants "$1" "$2"; return $status; }
vip_from() { # prefix: nodes that pe3 has it from
  local family=vpnv4; [[ $1 = *:* ]] && family=vpnv6
  pe pe3 bgp routes $family "$1" --json | jq -r '.routes[].nextHop' | sed 's/fd00:ff::/node/' | sort -u | xargs; }
vip_is_from() { [ "$(vip_from "$1")" = "$2" ]; }
# Every one of the backends answers, and no other; they see the client.
balanced() { # family, backends...
  local answers; answers=$(ask red-site tcp "${VIP[$1]}" 80 30); local sees=${SITE[$1]}; shift
  cut -d ' ' -f 1 <<<"$answers" | sort | uniq -c
  awk -v sees="$sees" '$3 != sees { exit 1 }' <<<"$answers" && [ "$(cut -d ' ' -f 1 <<<"$answers" | sort -u | xargs)" = "$*" ]; }
leaves_as() { answered_by red-site "${EGRESS[$1]}" pod_asks node1 red-shop client tcp "${WORLD[$1]}" 8080 5; }

# A hundred pings a second from a pod of node1 while something happens: none may be lost.
lossless() { # seconds, command...
  local seconds=$1 status; shift
  in_pod node1 red-shop client ping -n -q -i 0.01 -w "$seconds" "${SITE[IPv4]}" >"$WORK/pings" 2>&1 & local pings=$!
  sleep 0.5; "$@"; status=$?
  wait $pings
  grep transmitted "$WORK/pings"
  [ $status = 0 ] && awk '/transmitted/ { exit !($1 > 100 && $1 - $4 <= 1) }' "$WORK/pings"   # The last may be on its way.
}
told() { claim "$@"; sed -n 's/^\([0-9]* packets.*\)$/      \1/p' "$WORK/out"; }
new_agent() { lab kill "$TOPOLOGY" "$1" --signal "${2:-KILL}" && sleep 1 && lab start "$TOPOLOGY" "$1" && eventually 30 established "$1"; }
rolling_update() { local n; for n in node1 node2; do new_agent $n TERM && eventually 30 on $n sixedge ready || return; done; }
agent_without_api() { stop_api && new_agent node1; }

forgotten() { # node: of VRFs nothing is left
  [ "$(pe "$1" vrf --json | jq '.vrfs | length')" = 0 ] && [ "$(pe "$1" sids --json | jq '[.sids[] | select(.vrf != null and .vrf != "-")] | length')" = 0 ]; }
withdrawn() { local f; for f in vpnv4 vpnv6; do pe pe3 bgp routes $f --json | jq -e '[.routes[] | select(.nextHop != "fd00:ff::3" and .nextHop != "::")] | length == 0' >/dev/null || return 1; done; }

bring_up "10 nodes: an API server, two nodes of its cluster, the tenants' sites behind pe3"

section "A cluster: its custom resources, two nodes, a route reflector"
claim "the API server answers" eventually 60 api_answers
claim "the custom resource definitions are applied" apply_crds
claim "nodes, LocatorPool, BgpCluster and BgpPeerConfig are applied" manifest cluster
keep_controller
claim "the controller has allotted locators" eventually 30 locator node2
claim "the core leads to them" lead_to_locators
for node in node1 node2; do claim "$node: its agent is Ready" eventually 60 node_ready $node; done
claim "pe3's session is established" eventually 60 established pe3
shown kubectl get locatorpools,bgpclusters,bgppeerconfigs,nodestates

section "Two tenants with the same addresses"
claim "Vrfs, BgpAdvertisements and the tenants' namespaces are applied" manifest tenants
for vrf in red blue; do claim "$vrf is Ready on both nodes" eventually 30 vrf_ready $vrf; done
for tenant in red blue; do
  claim "$tenant's pod client starts on node1 (sixedge-cni alone)" start_pod node1 tenants $tenant-shop client client
  claim "$tenant's pod web2 starts on node2" start_pod node2 tenants $tenant-shop web2 web
done
claim "both clients have the same addresses" equal_addresses
sed 's/^/      /' "$WORK/out"
claim "red's pod chained starts on node1 (ptp, then sixedge-cni)" start_pod node1 cluster red-shop chained client
claim "CHECK holds for both ways" eval 'on node1 pod check tenants red-shop client && on node1 pod check cluster red-shop chained'
for tenant in red blue; do
  for family in IPv4 IPv6; do
    claim "$tenant, $family: the site answers the pod's pings" eventually 20 in_pod node1 $tenant-shop client ping -n -c 3 -i 0.2 -W 2 "${SITE[$family]}"
    answered "$tenant, $family: at the site's address the pod finds its own tenant" \
      $tenant-site "$(pod_address $tenant-shop client $family)" pod_asks node1 $tenant-shop client tcp "${SITE[$family]}" 8080 5
    answered "$tenant, $family: pods reach pods of the other node" \
      $tenant-shop.web2 "$(pod_address $tenant-shop client $family)" pod_asks node1 $tenant-shop client tcp "$(pod_address $tenant-shop web2 $family)" 8080 5
    answered "$tenant, $family: the site reaches the pod" $tenant-shop.web2 "${SITE[$family]}" ask $tenant-site tcp "$(pod_address $tenant-shop web2 $family)" 8080 5
  done
done
for family in IPv4 IPv6; do
  answered "red, $family: the chained pod has its own address there" \
    red-site "$(pod_address red-shop chained $family)" pod_asks node1 red-shop chained tcp "${SITE[$family]}" 8080 5
done
shown kubectl get vrfs,bgpadvertisements
shown kubectl get pods -A -o custom-columns=NAMESPACE:.metadata.namespace,NAME:.metadata.name,NODE:.spec.nodeName,IPS:.status.podIPs[*].ip
shown pe node1 vrf

section "A namespace that nobody let in stays outside"
claim "guests: sixedge-cni alone refuses the pod" refused_pod guests intruder
sed -n 's/.*"msg":"\([^"]*\)".*/      \1/p' "$WORK/refused"
claim "guests: behind ptp the pod starts" start_pod node1 cluster guests visitor client
claim "guests: it reaches no tenant's site" silent pod_asks node1 guests visitor tcp "${SITE[IPv4]}" 8080 1

section "A virtual machine beside the pods"
claim "node1 gets an interface tap-red0" on node1 sh -c '
  ip netns add vm && ip link add tap-red0 up type veth peer name eth0 netns vm && ip -n vm link set eth0 up &&
  ip -n vm address add 10.0.7.2/24 dev eth0 && ip -n vm address add fd00:7::2/64 dev eth0 nodad &&
  ip -n vm route add default via 10.0.7.1 && ip -n vm route add default via fd00:7::1'
for family in IPv4 IPv6; do
  claim "$family: it reaches red's site" eventually 20 on node1 ip netns exec vm ping -n -c 3 -i 0.2 -W 2 "${SITE[$family]}"
  claim "$family: and red's pod on the other node" on node1 ip netns exec vm ping -n -c 3 -i 0.2 -W 2 "$(pod_address red-shop web2 $family)"
done

section "A Service of type LoadBalancer, from the tenant's site"
claim "red's pod web1 starts on node1" start_pod node1 tenants red-shop web1 web
claim "Service web is applied" manifest service
claim "its load balancer gives it addresses" kubectl patch service web -n red-shop --subresource status --type merge \
  -p "{\"status\":{\"loadBalancer\":{\"ingress\":[{\"ip\":\"${VIP[IPv4]}\"},{\"ip\":\"${VIP[IPv6]}\"}]}}}"
claim "its EndpointSlices have both pods" endpoints red-shop web
for family in IPv4 IPv6; do
  claim "$family: both nodes advertise it" eventually 20 vip_is_from "${VIP[$family]}/$([ $family = IPv4 ] && echo 32 || echo 128)" "node1 node2"
  claim "$family: the pods of both nodes answer, and see the site's own address" balanced $family red-shop.web1 red-shop.web2
  sed 's/^/      /' "$WORK/out"
done
claim "blue's site has no such Service" silent ask blue-site tcp "${VIP[IPv4]}" 80 1
shown pe node1 services

section "An EgressPolicy: the world sees one address"
claim "EgressPolicy red-world is applied" manifest egress
for family in IPv4 IPv6; do
  claim "$family: the world sees ${EGRESS[$family]}" eventually 20 leaves_as $family
  answered "$family: blue's pod leaves as it is" blue-site "$(pod_address blue-shop client $family)" pod_asks node1 blue-shop client tcp "${WORLD[$family]}" 8080 5
done
shown kubectl get egresspolicies

section "A NetworkPolicy: nobody but the site, and its port alone"
claim "before it, a pod of the tenant reaches web2" answered_by red-shop.web2 "" pod_asks node1 red-shop client tcp "$(pod_address red-shop web2 IPv4)" 8080 1
claim "deny and allow-site are applied" manifest policy
for family in IPv4 IPv6; do
  claim "$family: a pod of the tenant reaches web2 no more" eventually 10 silent pod_asks node1 red-shop client tcp "$(pod_address red-shop web2 $family)" 8080 1
  claim "$family: nor do the site's pings" eval "! on red-site ping -n -c 1 -W 1 $(pod_address red-shop web2 $family)"
  claim "$family: the site has the Service as before" eventually 10 balanced $family red-shop.web1 red-shop.web2
done
answered "blue's pod of the same address is open as ever" blue-shop.web2 "" pod_asks node1 blue-shop client tcp "$(pod_address blue-shop web2 IPv4)" 8080 5
shown pe node2 drops

section "Agents go and come back"
told "kill -9 of node1's agent, and a new one: no packet is lost" lossless 8 new_agent node1
told "both agents one after another, as a rolling update does: no packet is lost" lossless 16 rolling_update
for node in node1 node2; do claim "$node is Ready again" eventually 30 node_ready $node; done

section "The API server goes and comes back"
told "without API server, node1's agent is killed and started anew: no packet is lost" lossless 10 agent_without_api
claim "it knows red and blue" eval '[ "$(pe node1 vrf --json | jq -c "[.vrfs[].name] | sort")" = "[\"blue\",\"red\"]" ]'
for family in IPv4 IPv6; do
  claim "$family: red's Service is served" balanced $family red-shop.web1 red-shop.web2
  claim "$family: the world sees the egress address" leaves_as $family
done
claim "the API server is back" start_api
keep_controller
claim "node1 is cut off from it" on node1 ip link set eth2 down
claim "meanwhile red's web2 goes" delete_pod node2 tenants red-shop web2
claim "and web3 comes" start_pod node2 tenants red-shop web3 web
claim "the Service is told" endpoints red-shop web
claim "node1 is back" on node1 ip link set eth2 up
claim "node1 serves by web1 and web3" eventually 60 balanced IPv4 red-shop.web1 red-shop.web3
for node in node1 node2; do claim "$node is Ready" eventually 60 node_ready $node; done
shown kubectl get vrf,nodestate
shown kubectl get events.events.k8s.io -A -o custom-columns=OBJECT:.regarding.name,REASON:.reason,NOTE:.note

section "Deleted in any order"
claim "Vrf red goes first of all" kubectl delete vrf red --wait=false
answered "blue's pod reaches its site" blue-site "" pod_asks node1 blue-shop client tcp "${SITE[IPv4]}" 8080 5
claim "red's pod reaches nothing" eventually 20 silent pod_asks node1 red-shop client tcp "${SITE[IPv4]}" 8080 1
while read -r node network namespace name; do
  claim "pod $namespace/$name goes" delete_pod "$node" "$network" "$namespace" "$name" </dev/null
done <<<"node1 tenants red-shop client
node1 cluster red-shop chained
node2 tenants red-shop web3
node1 tenants blue-shop client
node1 cluster guests visitor"
claim "policies, Service, advertisements and Vrf blue go" kubectl delete --wait=false networkpolicies,egresspolicies,services,endpointslices,bgpadvertisements,vrfs --all -n red-shop
claim "pods whose VRF is gone can go" eval 'delete_pod node2 tenants blue-shop web2 && delete_pod node1 tenants red-shop web1'
for node in node1 node2; do claim "$node has no VRF, no SID and no circuit" eventually 20 forgotten $node; done
claim "pe3 has no route of them" eventually 20 withdrawn
shown kubectl get vrf,nodestate

finish
