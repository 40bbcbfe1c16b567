#!/usr/bin/env bash
# What a container runtime does for a pod of this node: a network namespace, and the plugins of a network on it. Prints what they
# say at last; of plugins that fail, the error, and exits 1.
#
# usage: pod add|check|del NETWORK NAMESPACE NAME     NETWORK is a list in /etc/cni/net.d
#        pod exec|start NAMESPACE NAME COMMAND...       start returns at once
set -euo pipefail

plugin() { # configuration; the environment is the specification's
  local type; type=$(jq -r .type <<<"$1")
  local program; program=$(PATH=$CNI_PATH command -v "$type")
  "$program" <<<"$1"
}

# In the order of the list for ADD and CHECK, backwards for DEL. Each is told what the one before it said.
chain() { # list of plugins, the result before
  local result=$2 configuration
  while read -r configuration; do
    [ -z "$result" ] || configuration=$(jq -c --argjson result "$result" '.prevResult = $result' <<<"$configuration")
    local said; said=$(plugin "$configuration") || { echo "$said"; exit 1; }
    [ -z "$said" ] || result=$said
  done <<<"$1"
  echo "$result"
}

inside() { # NAMESPACE.NAME, command; the container has the host name of its pod
  exec ip netns exec "$1" unshare --uts sh -c 'hostname "$0"; exec "$@"' "$@"; }

action=$1
shift
case $action in
  exec) inside "$1.$2" "${@:3}" ;;
  start) (inside "$1.$2" setsid "${@:3}") >/dev/null 2>&1 </dev/null & exit ;;
esac
network=$1 netns=$2.$3 kept=/run/pods/$2.$3.$1
node=$(hostname)
list=$(sed "s/NODE/${node#node}/g" "/etc/cni/net.d/$network.conflist" | jq -c '. as $list | .plugins[] | . + ($list | {cniVersion, name})')
export CNI_COMMAND=${action^^} CNI_CONTAINERID=$netns CNI_NETNS=/run/netns/$netns CNI_IFNAME=eth0
export CNI_ARGS="IgnoreUnknown=1;K8S_POD_NAMESPACE=$2;K8S_POD_NAME=$3" CNI_PATH=/usr/lib/cni:/usr/local/bin

case $action in
  add)
    ip netns add "$netns"
    ip -n "$netns" link set lo up
    mkdir -p /run/pods
    chain "$list" "" >"$kept" || { cat "$kept"; exit 1; }
    cat "$kept" ;;
  check) chain "$list" "$(cat "$kept")" >/dev/null ;;
  del)
    ip netns pids "$netns" 2>/dev/null | xargs -r kill
    chain "$(tac <<<"$list")" "$(cat "$kept" 2>/dev/null)" >/dev/null
    ip netns del "$netns" 2>/dev/null || true
    rm -f "$kept" ;;
esac
