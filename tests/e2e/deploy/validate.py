"""Checks deploy/: schemas, names that must agree across files, and the time that draining is given.

    python3 -m venv .venv && .venv/bin/pip install -r tests/e2e/deploy/requirements.txt
    .venv/bin/python tests/e2e/deploy/validate.py [--program target/release/sidebeat] [--root DIR]

Prints one sentence a problem and exits 1, or says what was checked and exits 0. With --program, that program's own
`check` judges every proxy.yaml: which keys are valid is not known here.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

from cluster import (
    OLDEST_KUBERNETES,
    check_component,
    check_hardening,
    check_names,
    check_policies,
    check_scaling,
    check_schema,
    check_sidecar,
    chosen,
)
from kustomize import render
from reading import Broken, Proxy, UniqueKeys, document, seconds


def check_kubernetes(folder, problems):
    """The example, the service with the component, and what watches them."""
    report = problems.append
    deployed, added, monitoring = (render(folder / name, report) for name in (".", "example", "monitoring"))
    together = deployed + monitoring
    for objects in (deployed, added, monitoring):
        check_schema(objects, report)
    if problems:
        raise Broken("stopped here: what follows relies on the shape that the schemas describe")
    check_names(together, report)
    check_names(added, report)
    check_hardening(deployed, report)
    proxies = []
    for objects in (deployed, added):
        settings = next((item["data"]["proxy.yaml"] for item in objects if item["kind"] == "ConfigMap"), None)
        pods = chosen(objects, {"sidebeat": "sidecar"})
        if settings is None or len(pods) != 1:
            raise Broken(f"{folder}: one ConfigMap with a proxy.yaml and one Deployment with the sidecar are expected")
        proxies.append(Proxy("the ConfigMap's proxy.yaml", yaml.load(settings, UniqueKeys)))
        check_sidecar(pods[0], proxies[-1], report)
    check_policies(deployed, proxies[0], report)
    check_scaling(together, document(folder / "monitoring" / "adapter.yaml"), proxies[0], report)
    check_component(chosen(deployed, {"sidebeat": "sidecar"})[0], chosen(added, {"sidebeat": "sidecar"})[0], report)


def read_proxy(path):
    return Proxy(path, document(path))


def check_compose(path, report):
    compose = document(path)
    services = compose["services"]
    for name, service in services.items():
        build = service.get("build")
        if build:
            build = {"context": build} if isinstance(build, str) else build
            dockerfile = path.parent / build["context"] / build.get("dockerfile", "Dockerfile")
            if not dockerfile.is_file():
                report(f"{path}: {name}: {dockerfile} does not exist")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if not (path.parent / source).is_dir():
                report(f"{path}: {name}: {source} must be a directory: a file mounted alone never shows an editor's rename")
        for other in service.get("depends_on", []):
            if other not in services:
                report(f"{path}: {name}: depends on {other}, which is no service")
        if "ports" in service and name != "sidebeat":
            report(f"{path}: {name} publishes a port; only sidebeat may, or clients get past it")
    sidecar = services["sidebeat"]
    proxy = read_proxy(path.parent / "compose" / "proxy.yaml")
    if [str(proxy.port)] != [port.rpartition(":")[2] for port in sidecar.get("ports", [])]:
        report(f"{path}: sidebeat must publish {proxy.port}, the port of {proxy.name}")
    if proxy.upstream_host not in services:
        report(f"{proxy.name}: upstream {proxy.upstream_host} is no service of {path.name}")
    elif proxy.upstream_host not in sidecar.get("depends_on", []):
        report(f"{path}: sidebeat must depend on {proxy.upstream_host}, or the backend is stopped before clients are drained")
    check_health(path, sidecar, report)
    if seconds(sidecar.get("stop_grace_period", "10s")) <= proxy.drain_timeout:
        report(f"{path}: stop_grace_period must be longer than drain.timeout ({proxy.drain_timeout:g} s)")


def check_health(path, sidecar, report):
    """The health check opens a WebSocket; the example backend must not take it for somebody who joins."""
    url = next((word for word in sidecar["healthcheck"]["test"] if word.startswith("ws://")), "")
    asked = "/" + url.removeprefix("ws://").partition("/")[2]
    server = path.parent / "swoole" / "server.php"
    opened = server.read_text(encoding="utf-8").partition("$server->on('open'")[2].partition("$members->set(")[0]
    if f"=== '{asked}'" not in opened:
        report(f"{server}: a WebSocket at {asked}, which {path.name} opens as a health check, becomes a member")


def check_unit(path, root, report):
    text = path.read_text(encoding="utf-8")
    stop = re.search(r"^TimeoutStopSec=(.+)$", text, re.M)
    example = root / "proxy.yaml"
    drain = document(example).get("drain", {}) if example.is_file() else {}
    if not stop or ("timeout" in drain and seconds(stop[1]) <= seconds(drain["timeout"])):
        report(f"{path}: TimeoutStopSec must be longer than drain.timeout")
    if re.search("^ExecStartPre=", text, re.M):
        report(f"{path}: a failing ExecStartPre is started again whatever RestartPreventExitStatus says; ExecStart checks too")
    if not shutil.which("systemd-analyze"):
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / path.name
        # It insists on the program being there, and that is not installed where this runs.
        copy.write_text(text.replace("/usr/local/bin/sidebeat", "/bin/true"), encoding="utf-8")
        result = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60, check=False
        )
        ours = [line for line in result.stderr.splitlines() if path.name in line]
        for line in ours:
            report(f"{path}: systemd-analyze: {line.rpartition(str(copy))[2].lstrip(':')}")
        if result.returncode != 0 and not ours:
            report(f"{path}: systemd-analyze failed: {result.stderr.strip()}")


def check_configs(program, paths, report):
    for path in paths:
        result = subprocess.run([program, "check", "-c", str(path)], capture_output=True, text=True, timeout=60, check=False)
        if result.returncode != 0:
            report(f"{path}: sidebeat check: {(result.stdout + result.stderr).strip()}")


def problems_below(root, program=None):
    """One sentence each; `program` is a built sidebeat, which judges every proxy.yaml."""
    deploy, problems = root / "deploy", []
    try:
        check_kubernetes(deploy / "kubernetes", problems)
        check_compose(deploy / "compose.yaml", problems.append)
        check_unit(deploy / "systemd" / "sidebeat.service", root, problems.append)
        if program:
            check_configs(program, sorted(deploy.rglob("proxy.yaml")), problems.append)
    except Broken as error:
        problems.append(str(error))
    except KeyError as error:
        problems.append(f"a file that this looks into lacks the key {error}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="a built sidebeat, to judge the proxy.yaml files")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[3])
    options = parser.parse_args()
    problems = problems_below(options.root, options.program)
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    print(f"deploy/ is in order: Kubernetes {OLDEST_KUBERNETES} and {kubernetes_validate.latest_version()}, compose, unit")
    print("systemd-analyze verify: " + ("clean" if shutil.which("systemd-analyze") else "skipped, it is not installed"))
    print("sidebeat check: " + ("clean" if options.program else "skipped, no --program"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
