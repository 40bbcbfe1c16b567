#!/usr/bin/env bash
# Writes the definitions of the custom resources to deploy/crds, a file each. A test fails where they are not what this writes.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p deploy/crds
definitions=$(cargo run --quiet --locked -- crds)
find deploy/crds -name "*.yaml" ! -name kustomization.yaml -delete
awk '
  function write_out() { if (file) { printf "%s", text >file; close(file) } }
  /^---$/ { write_out(); text = file = ""; next }
  /^  name: [a-z]+\.sixedge\.io$/ { split($2, name, "."); file = "deploy/crds/" name[1] ".yaml" }
  { text = text $0 "\n" }
  END { write_out() }
' <<<"$definitions"
ls deploy/crds
