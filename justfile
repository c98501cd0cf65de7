# What there is to run here: `just --list`. `.ci/run` calls these recipes one after the other.
#
# `just` itself: `cargo install just`, or `pip install rust-just`. What the recipes need beyond Rust, `just setup` puts
# into target/tools: it asks the registries, and needs Node 18 and Python 3.11 or newer.

set quiet
set shell := ["bash", "-euo", "pipefail", "-c"]

cargo_deny := "0.20.2"
tools := justfile_directory() / "target/tools"
# The program that the checks from outside run, relative to this folder.
program := env("SIDEBEAT", "target/release/sidebeat")
pytest := "pytest -W error -p no:cacheprovider --tb=short -q"

export PATH := tools / "bin:" + tools / "venv/bin:" + env("PATH")
export SIDEBEAT := program
export PYTHONDONTWRITEBYTECODE := "1"

[private]
default:
    just --list --unsorted

# Before a commit: everything that is fast
check: format clippy test

# Format, warnings, documentation, dependencies, scripts
lint: format clippy documentation dependencies scripts

format:
    cargo fmt --check

clippy:
    cargo clippy --all-targets --locked -- -D warnings

documentation:
    RUSTDOCFLAGS=-Dwarnings cargo doc --no-deps --locked

dependencies:
    cargo deny --log-level warn check bans licenses sources
    for crate in fuzz bench; do cargo metadata --locked --format-version 1 --manifest-path $crate/Cargo.toml >/dev/null; done

# Scripts parse, and lock files name no host of a registry
scripts:
    #!/usr/bin/env bash
    set -euo pipefail
    bash -n .ci/run
    bash -n fuzz/run
    if command -v shellcheck >/dev/null; then shellcheck --severity=warning .ci/run fuzz/run; fi
    git ls-files '*.py' bench/run bench/overload/run | xargs python3 -c 'import ast, sys
    for name in sys.argv[1:]: ast.parse(open(name, encoding="utf-8").read(), name)'
    if command -v php >/dev/null; then php -l deploy/swoole/server.php; fi
    ! grep -n '"resolved"' tests/e2e/*/package-lock.json

# Unit tests and the built program over sockets: `just test closing::`
test *ARGS:
    cargo test --locked --no-fail-fast {{ ARGS }}

# The program as it is shipped, unless SIDEBEAT names another
build:
    [[ {{ program }} != target/release/sidebeat ]] || cargo build --release --locked

# Everything that needs Python, Node, a browser or promtool
e2e: configurations manifests alerts e2e-deploy e2e-peers e2e-admin-api e2e-clients e2e-reference-client e2e-page

# Rules and dashboards, against the program's own metrics
e2e-deploy *ARGS: build
    {{ pytest }} tests/e2e/deploy {{ ARGS }}

# Python's and Node's WebSocket libraries on both sides
e2e-peers *ARGS: build
    {{ pytest }} tests/e2e/peers {{ ARGS }}

# The API against its own description
e2e-admin-api *ARGS: build
    {{ pytest }} tests/e2e/admin-api {{ ARGS }}

# Client libraries with heartbeats of their own
e2e-clients *ARGS: build
    {{ pytest }} -n 4 tests/e2e/clients {{ ARGS }}

# deploy/client, in Node and in Chromium
e2e-reference-client *ARGS: build
    {{ pytest }} tests/e2e/reference-client {{ ARGS }}

# The admin page, in Chromium
e2e-page *ARGS: build
    {{ pytest }} -n 3 tests/e2e/page {{ ARGS }}

# Every proxy.yaml of the repository is valid
configurations: build
    git ls-files proxy.yaml '*/proxy.yaml' | while read -r file; do {{ program }} check -c "$file"; done

# deploy/ as its tools read it
manifests: build
    python tests/e2e/deploy/validate.py --program {{ program }}

# Alert rules, with their own tests; needs Prometheus' promtool
alerts:
    promtool check rules deploy/prometheus/alerts.yaml
    promtool test rules deploy/prometheus/alerts_test.yaml

# What the image is built from is enough for cargo
image-context:
    #!/usr/bin/env bash
    set -euo pipefail
    context=$(mktemp -d)
    trap 'rm -r "$context"' EXIT
    sed -n 's/^!//p' deploy/Dockerfile.dockerignore | xargs git archive HEAD | tar -x -C "$context"
    cargo fetch --quiet --locked --manifest-path "$context/Cargo.toml"

# Every fuzz target, or those that are named: `just fuzz 600 relay`
fuzz *ARGS:
    fuzz/run {{ ARGS }}

# Beside other proxies, into bench/RESULTS.md; `just bench --smoke` is a minute of it
bench *ARGS:
    bench/run {{ ARGS }}

# Under attack, into bench/overload/RESULTS.md; `just overload --smoke` is sidebeat alone
overload *ARGS:
    bench/overload/run {{ ARGS }}

# What the recipes need beyond Rust
setup: setup-python setup-node setup-cargo-deny

setup-python:
    [[ -x {{ tools }}/venv/bin/pip ]] || python3 -m venv {{ tools }}/venv
    pip install --quiet --disable-pip-version-check $(printf -- '-r %s ' tests/e2e/*/requirements.txt)

setup-node:
    for lock in tests/e2e/*/package-lock.json; do npm ci --prefix "${lock%/*}" --ignore-scripts --no-audit --no-fund; done

setup-cargo-deny:
    [[ $(cargo deny --version 2>/dev/null) == "cargo-deny {{ cargo_deny }}" ]] || CARGO_PROFILE_DEV_DEBUG=0 \
      cargo install --quiet --locked --debug --no-default-features --root {{ tools }} cargo-deny@{{ cargo_deny }}
