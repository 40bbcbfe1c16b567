#!/usr/bin/env bash
# The container image: `image.sh programs [PROFILE]` builds the two programs without shared libraries into target/image,
# `image.sh pack ARCHIVE` packs them with buildah, which must be root or have user namespaces; without arguments, both.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly TARGET=${CARGO_TARGET_DIR:-target}
readonly OUT=$TARGET/image
fail() { printf 'image: %s\n' "$*" >&2; exit 1; }

# The flag goes to the last step of the two programs only: all that they are made of is shared with `cargo build`.
program() { # package, program, profile
  cargo rustc --locked --profile "$3" -p "$1" --bin "$2" -- -C target-feature=+crt-static -C strip=symbols
  local folder=$3
  [ "$folder" != dev ] || folder=debug
  install -D "$TARGET/$folder/$2" "$OUT/$2"
}

programs() {
  program sixedge sixedge "${1:-release}"
  program cni sixedge-cni "${1:-release}"
}

# A store of its own, which is gone afterwards; no registry is asked for anything, for there is nothing below.
pack() {
  command -v buildah >/dev/null || fail "buildah is missing; install it (make setup does), or build Containerfile with $OUT as its context by any other builder"
  local version
  version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"/\1/p' Cargo.toml)
  store=$(mktemp -d)
  trap 'rm -rf "$store"' EXIT
  local buildah=(buildah --root "$store/root" --runroot "$store/run" --storage-driver vfs)
  "${buildah[@]}" build --isolation chroot --format oci --timestamp "$(git log -1 --format=%ct 2>/dev/null || echo 0)" \
    --label org.opencontainers.image.version="$version" --label org.opencontainers.image.licenses=Apache-2.0 \
    --file Containerfile --tag "localhost/sixedge:$version" "$OUT" >/dev/null
  rm -f "$1"
  "${buildah[@]}" push --quiet "localhost/sixedge:$version" "oci-archive:$1:localhost/sixedge:$version" 2>"$store/log" || fail "$(cat "$store/log")"
  printf 'image: %s, localhost/sixedge:%s\n' "$1" "$version"
}

case ${1:-all} in
  programs) programs "${2:-release}" ;;
  pack) pack "${2:?the archive to write}" ;;
  all) programs; pack "$TARGET/sixedge.oci.tar" ;;
  *) fail "usage: image.sh [programs [PROFILE] | pack ARCHIVE]" ;;
esac
