#!/usr/bin/env bash
# clippy for the programs in the kernel, which the workspace's own run leaves out: they build for another target, with the
# core library made anew.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1 CARGO_ENCODED_RUSTFLAGS='--cfg=bpf_target_arch="x86_64"'
exec cargo clippy --locked --release -p sixedge-ebpf --target bpfel-unknown-none -Z build-std=core \
  --target-dir "${1:-target}/ebpf-lint" -- -D warnings
