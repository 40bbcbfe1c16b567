# What the demos share; sourced by them with the folder of the binaries. TOPOLOGY is set before.
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
shown() { printf '$ %s\n' "$*" | sed "s#$BIN/##g"; "$@" 2>&1 | sed 's/^/    /'; }
result() { # exit status, claim
  if [ "$1" = 0 ]; then passed=$((passed + 1)); printf '%sPASS%s  %s\n' "$green" "$plain" "$2"
  else failed=$((failed + 1)); printf '%sFAIL%s  %s\n' "$red" "$plain" "$2"; fi
}
claim() { local what=$1; shift; "$@" >"$WORK/out" 2>&1; local status=$?; result $status "$what"; [ $status = 0 ] || sed 's/^/      /' "$WORK/out"; }
eventually() { local seconds=$1; shift; local end=$((SECONDS + seconds)); until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done; }

established() { pe "$1" bgp summary --json | jq -e '[.neighbors[].state] | length > 0 and all(. == "Established")' >/dev/null; }
imported() { # node, vrf, prefix
  pe "$1" vrf "$2" routes --json | jq -e --arg p "$3" 'any(.routes[]; .prefix == $p and .source == "internalBgp" and .programmed)' >/dev/null; }
other() { if [ "$1" = red ]; then echo blue; else echo red; fi; }
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
finish() {
  section "Down"
  shown lab down "$TOPOLOGY"
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
}
