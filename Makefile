# Thin on purpose: each target names what it runs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
SUDO := $(if $(filter 0,$(shell id -u)),,sudo -E env "PATH=$(PATH)")
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Test programs run as root, cargo does not: nothing in the target folder becomes root's.
AS_ROOT := $(if $(SUDO),env CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='$(subst ",,$(SUDO))')

# The same folder for whoever builds the API server of the tests and for root, who runs them.
export SIXEDGE_TESTAPI ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sixedge/testapi

.PHONY: help setup testapi build image demo demo-services demo-egress demo-k8s test lint bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what building, demo and tests need (Debian, Ubuntu)
	@scripts/setup.sh

# A machine where it cannot be built skips the tests that want it, each saying so.
testapi: setup ## build the Kubernetes API server that tests run against, once per machine
	@k8s-sync/testapi/build.sh || echo "make: no API server for tests (exit $$?): they are skipped" >&2

build: setup ## build the release binaries: sixedge and lab
	cargo build --locked --release

# Packing wants root, cargo does not.
image: setup ## build the container image for deploy/: target/sixedge.oci.tar
	scripts/image.sh programs
	$(SUDO) scripts/image.sh pack $(TARGET)/sixedge.oci.tar

demo: build ## two provider edges, two overlapping tenants, a real route reflector: PASS or FAIL per line
	$(SUDO) scripts/demo.sh $(TARGET)/release

demo-services: build ## VIPs of two tenants in front of backends behind two provider edges
	$(SUDO) scripts/demo-services.sh $(TARGET)/release

demo-egress: build ## pods of two tenants that leave under one address each, by a gateway and its stand-by
	$(SUDO) scripts/demo-egress.sh $(TARGET)/release

demo-k8s: build testapi ## pods, Services and policies of two tenants as a Kubernetes API server tells them
	$(SUDO) scripts/demo-k8s.sh $(TARGET)/release

lint: setup ## rustfmt, clippy and the dependency rules, warnings being errors
	cargo fmt --all -- --check
	cargo clippy --locked --all-targets -- -D warnings
	scripts/lint-ebpf.sh $(TARGET)
	scripts/check-dependencies.sh

test: lint testapi ## every test, with real peers in network namespaces (needs root)
	scripts/image.sh programs dev
	cargo build --locked
	$(AS_ROOT) cargo test --locked --no-fail-fast

bench: build ## figures against bird2, frr, the kernel's own seg6 and netfilter
	$(SUDO) scripts/bench.sh $(TARGET)/release

clean: ## remove what was built
	cargo clean
