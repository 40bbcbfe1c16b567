# What the demos share; sourced by them with the folder of the binaries. TOPOLOGY is set before, below the project's folder.
# A demo prints PASS or FAIL per claim; `finish` ends it with 1 if any failed.
# shellcheck shell=bash

BIN=$(realpath "${1:?usage: $(basename "$0") FOLDER-OF-THE-BINARIES}")
cd "$(dirname "$0")/.." || exit 1
WORK=$(mktemp -d)
readonly BIN WORK
passed=0 failed=0

lab() { "$BIN/lab" "$@"; }
on() { local node=$1; shift; lab exec "$TOPOLOGY" "$node" -- "$@"; }
pe() { local node=$1; shift; on "$node" sixedge show "$@"; }

clean_up() { lab down "$TOPOLOGY" >/dev/null 2>&1; rm -rf "$WORK"; }
trap clean_up EXIT
trap 'exit 130' INT TERM

if [ -t 1 ]; then bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'; else bold='' green='' red='' plain=''; fi
section() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
shown() { printf '$ %s\n' "$*" | sed "s#$BIN/##g; s#$WORK/##g"; "$@" 2>&1 | sed "s#$WORK/##g; s/^/    /"; }
result() { # exit status, claim
  if [ "$1" = 0 ]; then passed=$((passed + 1)); printf '%sPASS%s  %s\n' "$green" "$plain" "$2"
  else failed=$((failed + 1)); printf '%sFAIL%s  %s\n' "$red" "$plain" "$2"; fi
}
claim() { local what=$1; shift; "$@" >"$WORK/out" 2>&1; local status=$?; result $status "$what"; [ $status = 0 ] || tail -n 8 "$WORK/out" | sed 's/^/      /'; }
eventually() { local seconds=$1; shift; local end=$((SECONDS + seconds)); until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done; }

established() { pe "$1" bgp summary --json | jq -e '[.neighbors[].state] | length > 0 and all(. == "Established")' >/dev/null; }
imported() { # node, vrf, prefix
  pe "$1" vrf "$2" routes --json | jq -e --arg p "$3" 'any(.routes[]; .prefix == $p and .source == "internalBgp" and .programmed)' >/dev/null; }
other() { if [ "$1" = red ]; then echo blue; else echo red; fi; }

# For demos that change configurations: the files of the project stay as they are.
work_on_a_copy() { cp -r containerlab "$WORK/"; TOPOLOGY=$WORK/$TOPOLOGY; }
# A program for sed on a VRF of PEs; returns once their agents have taken the changed files over.
edit() { # vrf, program, node...
  local vrf=$1 program=$2 node taken=(); shift 2
  for node in "$@"; do
    local file; file=${TOPOLOGY%.clab.yml}/$node.yaml
    sed "/^  - name: $vrf\$/,/^  - name: \|^[a-z]/ { $program
      }" "$file" >"$WORK/edited"
    cmp -s "$WORK/edited" "$file" && continue
    taken+=("$node:$(taken_over "$node")")
    cat "$WORK/edited" >"$file"   # In place: it is this file that is bound into the node.
  done
  for node in "${taken[@]}"; do eventually 20 more_than "${node#*:}" "${node%:*}" || { echo "$node has not taken its file over"; return 1; }; done
}
taken_over() { lab logs "$TOPOLOGY" "$1" | grep -c 'configuration taken over'; }
more_than() { [ "$(taken_over "$2")" -gt "$1" ]; }

family() { if [[ $1 == *:* ]]; then echo IPv6; else echo IPv4; fi; }

bring_up() { # what it is
  section "Up: $1"
  lab down "$TOPOLOGY" >/dev/null 2>&1
  shown lab up "$TOPOLOGY" || exit 1
}
sessions() { # provider edges
  section "Sessions"
  local node
  for node in "$@"; do claim "$node's session with the route reflector is established" eventually 60 established "$node"; done
  shown pe "$1" bgp summary
}
# Requests one after another, each from a port of its own; a line of answer.py for each that is answered.
# shellcheck disable=SC2016
readonly ASK='
    for ((i = 0; i < $4; i++)); do
      exec 3<>"/dev/$1/$2/$3" || continue
      [ "$1" = tcp ] || echo >&3
      timeout 2 head -n 1 <&3
      exec 3>&-
    done'
ask() { # node, tcp or udp, address, port, times; for as many seconds as `patience` says
  on "$1" timeout "${patience:-60}" bash -c "$ASK" ask "${@:2}"; }

finish() {
  section "Down"
  shown lab down "$TOPOLOGY"
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
}
