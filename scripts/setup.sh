#!/usr/bin/env bash
# Brings a Debian or Ubuntu machine to where sixedge builds, runs its demo and passes its tests. Idempotent: what is there
# already is left alone, and a second run takes a second.
set -euo pipefail

readonly BPF_LINKER=0.10.3
readonly PACKAGES=(
  build-essential pkg-config      # the C linker that Rust calls
  iproute2 iputils-ping ethtool   # namespaces, interfaces, pings
  iperf3 tcpdump tshark           # throughput and captures in demo and tests
  python3                         # what answers behind VIPs in the labs
  frr bird2 mmdebstrap            # real peers
  containernetworking-plugins     # CNI plugins in front of ours
  nftables iptables conntrack     # what the benchmark compares services, NAT and filters with
  curl debian-archive-keyring     # the API server of the tests: asked, and built of Debian's packages
  jq
)

step() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    fail "root is needed to install packages; run as root or install sudo"; fi
}

packages() {
  command -v apt-get >/dev/null || fail "only Debian and Ubuntu are set up by this script (no apt-get); install by hand: ${PACKAGES[*]}"
  local missing=()
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  step "installing ${missing[*]}"
  as_root apt-get update -qq
  # The peers run in namespaces of the labs only: keep their services from starting on the machine itself.
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  if [ -d /run/systemd/system ]; then
    for service in frr bird; do
      case " ${missing[*]} " in *" $service"*) as_root systemctl disable --now "$service" >/dev/null 2>&1 || true ;; esac
    done
  fi
}

rust() {
  command -v rustup >/dev/null || fail "rustup is missing; install it from https://rustup.rs and run this again"
  local toolchain
  toolchain=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
  rustup toolchain list | grep -q "^$toolchain-" || { step "installing Rust $toolchain"; rustup toolchain install "$toolchain" --profile minimal; }
  local component
  for component in rust-src rustfmt clippy; do
    rustup component list --toolchain "$toolchain" --installed | grep -q "^$component" \
      || { step "adding $component"; rustup component add --toolchain "$toolchain" "$component"; }
  done
}

bpf_linker() {
  [ "$(bpf-linker --version 2>/dev/null)" = "bpf-linker $BPF_LINKER" ] && return
  step "building bpf-linker $BPF_LINKER (about four minutes, once)"
  # Its default features load the LLVM that comes with rustc, so no LLVM package is needed.
  cargo install --locked --quiet "bpf-linker@$BPF_LINKER"
}

cd "$(dirname "$0")/.."
packages
rust
bpf_linker
