#!/usr/bin/env bash
# Builds the API server that tests run against: Kubernetes' own API machinery with the few types that we need (main.go), of
# Debian sid's packages, because nobody publishes a kube-apiserver to install. Nothing is installed on this machine: all of it,
# with etcd and kubectl beside it, lands in $SIXEDGE_TESTAPI, or ~/.cache/sixedge/testapi. Once per machine: about 300 MB to
# fetch, 4 GB while it is built, and three minutes on two idle cores; 180 MB stay, with SIXEDGE_TESTAPI_KEEP=1 all of it, for
# whoever changes it. Exit 3: the packages cannot be had here; tests then say that they were skipped.
set -euo pipefail

readonly PACKAGES=(golang-k8s-apiextensions-apiserver-dev golang-k8s-apiserver-dev)
readonly KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
home=${SIXEDGE_TESTAPI:-${XDG_CACHE_HOME:-$HOME/.cache}/sixedge/testapi}
here=$(cd "$(dirname "$0")" && pwd)
readonly home here

step() { printf '\033[1m==>\033[0m %s\n' "$*"; }
unavailable() {
  printf 'testapi: NO API SERVER FOR TESTS: %s\ntestapi: tests that want one are skipped; KUBECONFIG may name a cluster instead\n' "$*" >&2
  exit 3
}

# The mirror that apt uses, where that is Debian's.
mirror() {
  local uri='s#^(URIs:|deb( \[[^]]*\])?) +(https?://[^ ]*/debian/?)( .*)?$#\3#p'
  [ -n "${LAB_DEBIAN_MIRROR:-}" ] && echo "$LAB_DEBIAN_MIRROR" && return
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{sources,list} 2>/dev/null || true; } | sed -nE "$uri" | awk 'NR == 1'
}

# apt with lists and sources of its own; it needs no root, and this machine's apt does not see sid.
private_apt() {
  local program=$1; shift
  "$program" -o Dir::Etc::sourcelist="$home/apt/sid.list" -o Dir::Etc::sourceparts=- -o Dir::State::Lists="$home/apt/lists" \
    -o Dir::Cache="$home/apt/cache" -o Dir::State::status=/dev/null \
    -o APT::Sandbox::User= -o Acquire::Languages=none "$@"
}

# Development packages that these need, whole: Go wants the source of everything.
needed() {
  private_apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
    "${PACKAGES[@]}" | grep -E '^golang-[a-z0-9.+-]+-dev$' | sort -u
}

fetch() {
  [ -e "$home/packages" ] && return
  command -v apt-get >/dev/null || unavailable "there is no apt-get"
  [ -e "$KEYRING" ] || unavailable "$KEYRING is missing (package debian-archive-keyring)"
  local from; from=$(mirror)
  [ -n "$from" ] || unavailable "apt's sources name no Debian mirror; set LAB_DEBIAN_MIRROR"
  mkdir -p "$home"/apt/{lists/partial,cache/archives/partial,debs}
  echo "deb [signed-by=$KEYRING] $from sid main" >"$home/apt/sid.list"
  step "fetching Kubernetes' API machinery, Go and etcd of Debian sid from $from"
  private_apt apt-get update -qq -o APT::Update::Error-Mode=any || unavailable "apt has no package lists of sid from $from"
  local go; go=$(private_apt apt-cache depends golang-go | awk '/Depends: golang-[0-9.]+-go/ { print $2; exit }')
  local libraries; mapfile -t libraries < <(needed)
  (cd "$home/apt/debs" && private_apt apt-get download -qq "${libraries[@]}" "$go" "${go%-go}-src" etcd-server kubectl) \
    || unavailable "apt could not fetch all packages from $from"
  rm -rf "$home/packages.part"
  mkdir "$home/packages.part"
  private_apt apt-cache show "${PACKAGES[1]}" | sed -n 's/^Version: 0\.\([0-9.]*\).*/v1.\1/p' >"$home/packages.part/version"
  local deb; for deb in "$home"/apt/debs/*.deb; do dpkg -x "$deb" "$home/packages.part"; done
  mv "$home/packages.part" "$home/packages"
  rm -rf "$home/apt"
}

# Debian's Go finds its library by links from /usr/lib to /usr/share, which lead nowhere from here.
go_root() {
  local root; root=$(echo "$home"/packages/usr/lib/go-*)
  local shared=$home/packages/usr/share/${root##*/}
  ln -sfn "$shared/src" "$root/src"
  mkdir -p "$root/pkg" && ln -sfn "$shared/pkg/include" "$root/pkg/include"
  echo "$root"
}

build() {
  step "building the API server of the tests"
  local root; root=$(go_root)
  mkdir -p "$home"/{bin,gocache}
  (cd "$here" && GOROOT=$root GOTOOLCHAIN=local GOPROXY=off GOFLAGS='' GO111MODULE=off CGO_ENABLED=0 \
    GOPATH=$home/packages/usr/share/gocode GOCACHE=$home/gocache \
    "$root/bin/go" build -trimpath \
    -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$(cat "$home/packages/version")" -o "$home/bin/testapi" ./*.go) || return 1
  install -t "$home/bin" "$home"/packages/usr/bin/{etcd,kubectl}
  [ -n "${SIXEDGE_TESTAPI_KEEP:-}" ] || rm -rf "$home"/{packages,gocache}
}

main() {
  mkdir -p "$home"
  exec 9>"$home/lock"
  flock 9
  local sources; sources=$(cat "$here"/*.go "$here/build.sh" | sha256sum)
  [ "$(cat "$home/built" 2>/dev/null)" = "$sources" ] && return
  fetch
  build
  echo "$sources" >"$home/built"
}

# Read whole before it runs: a checkout may change the file meanwhile.
main; exit
