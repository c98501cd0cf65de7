"""Checks deploy/: schemas, names that must agree across files, and the time that draining is given.

    python3 -m venv .venv && .venv/bin/pip install -r tests/deploy/requirements.txt
    .venv/bin/python tests/deploy/validate.py [--program target/release/sidebeat] [--root DIR]

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

OLDEST_KUBERNETES = "1.29"  # native sidecars are on by default from here
KUSTOMIZATION_KEYS = {"apiVersion", "kind", "resources", "configMapGenerator", "generatorOptions", "images", "labels"}
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class Broken(Exception):
    """A problem that leaves nothing to look at further."""


class UniqueKeys(yaml.SafeLoader):
    """YAML as everywhere, but the second of two equal keys is an error instead of the winner."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise Broken(f"{self.name}:{key.start_mark.line + 1}: the key `{key.value}` is there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def documents(path):
    """All non-empty YAML documents of a file."""
    try:
        with path.open(encoding="utf-8") as file:
            return [document for document in yaml.load_all(file, UniqueKeys) if document]
    except (OSError, yaml.YAMLError) as error:
        raise Broken(f"{path}: {error}") from error


def document(path):
    """The only YAML document of a file."""
    found = documents(path)
    if len(found) != 1 or not isinstance(found[0], dict):
        raise Broken(f"{path}: one mapping is expected")
    return found[0]


def seconds(text):
    """`1.5s`, `500ms`, `2m` as seconds; a number is seconds already."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", str(text))
    if not match:
        raise Broken(f"`{text}` is no duration")
    return float(match[1]) * UNITS.get(match[2], 1)


class Proxy:
    """What manifests have to agree with in a proxy.yaml."""

    def __init__(self, path):
        self.path, config = path, document(path)
        self.port = int(str(config["listen"]).rpartition(":")[2])
        upstream = config["upstream"] if isinstance(config["upstream"], str) else config["upstream"]["url"]
        self.upstream_host, _, port = upstream.removeprefix("ws://").partition(":")
        self.upstream_port = int(port)
        drain = config.get("drain", {})
        if "timeout" not in drain or "spread" not in drain:
            raise Broken(f"{path}: write drain.timeout and drain.spread out, grace periods elsewhere depend on them")
        self.drain_timeout = seconds(drain["timeout"])
        if seconds(drain.get("delay", "0s")) + seconds(drain["spread"]) > self.drain_timeout:
            raise Broken(f"{path}: drain.delay and drain.spread do not fit into drain.timeout")


def render(folder, report):
    """The objects that `kubectl apply -k` would send, for the few features of kustomize in use."""
    path = folder / "kustomization.yaml"
    kustomization = document(path)
    for key in kustomization.keys() - KUSTOMIZATION_KEYS:
        report(f"{path}: `{key}` is unknown to this check; misspelt, or teach it")
    if kustomization.get("kind") != "Kustomization":
        report(f"{path}: kind must be Kustomization")
    objects = []
    for name in kustomization.get("resources", []):
        objects += documents(folder / name)
    for other in sorted(folder.glob("*.yaml")):
        generated = [file for entry in kustomization.get("configMapGenerator", []) for file in entry.get("files", [])]
        if other != path and other.name not in kustomization.get("resources", []) + generated:
            report(f"{other}: no entry of kustomization.yaml uses it")
    if kustomization.get("generatorOptions", {}).get("disableNameSuffixHash") is not True:
        report(f"{path}: without disableNameSuffixHash an edit of proxy.yaml is a rollout, not a reload")
    for entry in kustomization.get("configMapGenerator", []):
        data = {}
        for file in entry["files"]:
            key, _, source = file.rpartition("=")
            if not (folder / source).is_file():
                raise Broken(f"{path}: configMapGenerator wants {source}, which does not exist")
            data[key or source] = (folder / source).read_text(encoding="utf-8")
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": entry["name"]}, "data": data})
    images = {image["name"]: f"{image['newName']}:{image['newTag']}" for image in kustomization.get("images", [])}
    for container in (c for o in objects if o["kind"] == "Deployment" for c in containers(o)):
        if container["image"] not in images:
            report(f"{path}: `images` has no entry for `{container['image']}`")
        container["image"] = images.get(container["image"], container["image"])
    return objects


def containers(deployment):
    spec = deployment["spec"]["template"]["spec"]
    return spec.get("initContainers", []) + spec["containers"]


def check_schema(objects, report):
    for item in objects:
        for version in (OLDEST_KUBERNETES, kubernetes_validate.latest_version()):
            name = f"{item.get('kind')} {item.get('metadata', {}).get('name')}"
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                report(f"{name}, Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message}")
            except (kubernetes_validate.SchemaNotFoundError, KeyError) as error:
                report(f"{name}, Kubernetes {version}: no such kind: {error}")


def check_names(objects, report):
    """Everything that refers to something else by name or number."""
    maps = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}
    deployments = [item for item in objects if item["kind"] == "Deployment"]
    pods = [deployment["spec"]["template"] for deployment in deployments]
    for deployment, pod in zip(deployments, pods):
        labels, spec = pod["metadata"]["labels"], pod["spec"]
        if not deployment["spec"]["selector"]["matchLabels"].items() <= labels.items():
            report("Deployment: its selector does not match its pods' labels")
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        used = set()
        for volume in volumes.values():
            if "configMap" in volume and volume["configMap"]["name"] not in maps:
                report(f"Deployment: volume {volume['name']}: there is no ConfigMap {volume['configMap']['name']}")
        for container in containers(deployment):
            name = container["name"]
            ports = {port["name"] for port in container.get("ports", [])}
            for mount in container.get("volumeMounts", []):
                used.add(mount["name"])
                if mount["name"] not in volumes:
                    report(f"{name}: mounts {mount['name']}, which is no volume of the pod")
                elif "configMap" in volumes[mount["name"]] and "subPath" in mount:
                    report(f"{name}: a ConfigMap mounted by subPath never changes, so hot reload would never see an edit")
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                for action in ("tcpSocket", "httpGet", "grpc"):
                    port = container.get(probe, {}).get(action, {}).get("port")
                    if isinstance(port, str) and port not in ports:
                        report(f"{name}: {probe} asks port {port}, which the container does not have")
        for volume in volumes.keys() - used:
            report(f"Deployment: nobody mounts volume {volume}")
    for service in (item for item in objects if item["kind"] == "Service"):
        chosen = [pod for pod in pods if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()]
        ports = {
            port["name"]
            for pod in chosen
            for container in pod["spec"].get("initContainers", []) + pod["spec"]["containers"]
            for port in container.get("ports", [])
        }
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in ports:
                report(f"Service {service['metadata']['name']}: no pod it selects has a port {port['targetPort']}")


def check_hardening(objects, report):
    for deployment in (item for item in objects if item["kind"] == "Deployment"):
        pod = deployment["spec"]["template"]["spec"].get("securityContext", {})
        if pod.get("runAsNonRoot") is not True or pod.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            report("Deployment: the pod must set runAsNonRoot and seccompProfile RuntimeDefault")
        for container in containers(deployment):
            own, resources = container.get("securityContext", {}), container.get("resources", {})
            if (
                own.get("allowPrivilegeEscalation") is not False
                or own.get("readOnlyRootFilesystem") is not True
                or own.get("capabilities") != {"drop": ["ALL"]}
            ):
                report(f"{container['name']}: no privilege escalation, a read-only root and no capabilities are expected")
            if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
                report(f"{container['name']}: requests for cpu and memory and a memory limit are expected")


def check_sidecar(objects, proxy, report):
    """The sidecar's place in the pod, and the time it has for draining."""
    deployment = next((item for item in objects if item["kind"] == "Deployment"), None)
    if deployment is None:
        raise Broken("there is no Deployment")
    spec = deployment["spec"]["template"]["spec"]
    sidecar = next((c for c in spec.get("initContainers", []) if c["name"] == "sidebeat"), None)
    if sidecar is None or sidecar.get("restartPolicy") != "Always":
        raise Broken("Deployment: sidebeat must be an init container with restartPolicy Always, a native sidecar")
    if proxy.port not in [port["containerPort"] for port in sidecar.get("ports", [])]:
        report(f"{proxy.path}: listens on {proxy.port}, which is no containerPort of sidebeat")
    if "exec" in sidecar.get("startupProbe", {}):
        report("sidebeat: a startup probe through the backend deadlocks: the backend starts only after it succeeded")
    main = spec["containers"][0]
    env = {entry["name"]: entry.get("value") for entry in main.get("env", [])}
    if (proxy.upstream_host, str(proxy.upstream_port)) != (env.get("CHAT_HOST"), env.get("CHAT_PORT")):
        report(f"{proxy.path}: upstream is not where {main['name']} listens (CHAT_HOST, CHAT_PORT)")
    hook = main.get("lifecycle", {}).get("preStop", {})
    command = hook.get("exec", {}).get("command", [])
    if "sleep" in hook:
        pre_stop = float(hook["sleep"]["seconds"])
    elif command[:1] == ["timeout"]:
        pre_stop = seconds(command[1])
    else:
        raise Broken(f"{main['name']}: preStop must be `sleep`, or a command that begins with `timeout SECONDS`")
    if "sidebeat" in " ".join(command):
        if not spec.get("shareProcessNamespace"):
            report(f"{main['name']}: preStop signals sidebeat, which it cannot see without shareProcessNamespace")
        if pre_stop <= proxy.drain_timeout:
            report(f"{main['name']}: preStop ({pre_stop:g} s) is cut off before drain.timeout ({proxy.drain_timeout:g} s)")
    needed, given = pre_stop + proxy.drain_timeout, spec.get("terminationGracePeriodSeconds", 30)
    if given < needed:
        report(f"Deployment: terminationGracePeriodSeconds is {given}; preStop and drain.timeout take up to {needed:g}")


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
    proxy = Proxy(path.parent / "compose" / "proxy.yaml")
    if [str(proxy.port)] != [port.rpartition(":")[2] for port in sidecar.get("ports", [])]:
        report(f"{path}: sidebeat must publish {proxy.port}, the port of {proxy.path}")
    if proxy.upstream_host not in services:
        report(f"{proxy.path}: upstream {proxy.upstream_host} is no service of {path.name}")
    elif proxy.upstream_host not in sidecar.get("depends_on", []):
        report(f"{path}: sidebeat must depend on {proxy.upstream_host}, or the backend is stopped before clients are drained")
    if seconds(sidecar.get("stop_grace_period", "10s")) <= proxy.drain_timeout:
        report(f"{path}: stop_grace_period must be longer than drain.timeout ({proxy.drain_timeout:g} s)")


def check_unit(path, root, report):
    """Says whether systemd's own check ran."""
    text = path.read_text(encoding="utf-8")
    stop = re.search(r"^TimeoutStopSec=(.+)$", text, re.M)
    example = root / "proxy.yaml"
    drain = document(example).get("drain", {}) if example.is_file() else {}
    if not stop or ("timeout" in drain and seconds(stop[1]) <= seconds(drain["timeout"])):
        report(f"{path}: TimeoutStopSec must be longer than drain.timeout")
    if not shutil.which("systemd-analyze"):
        return False
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
    return True


def check_configs(program, paths, report):
    for path in paths:
        result = subprocess.run([program, "check", "-c", str(path)], capture_output=True, text=True, timeout=60, check=False)
        if result.returncode != 0:
            report(f"{path}: sidebeat check: {(result.stdout + result.stderr).strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="a built sidebeat, to judge the proxy.yaml files")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    options = parser.parse_args()
    deploy, problems, systemd = options.root / "deploy", [], False
    try:
        objects = render(deploy / "kubernetes", problems.append)
        check_schema(objects, problems.append)
        if problems:
            raise Broken("stopped here: what follows relies on the shape that the schemas describe")
        check_names(objects, problems.append)
        check_hardening(objects, problems.append)
        check_sidecar(objects, Proxy(deploy / "kubernetes" / "proxy.yaml"), problems.append)
        check_compose(deploy / "compose.yaml", problems.append)
        systemd = check_unit(deploy / "systemd" / "sidebeat.service", options.root, problems.append)
        if options.program:
            check_configs(options.program, sorted(deploy.rglob("proxy.yaml")), problems.append)
    except Broken as error:
        problems.append(str(error))
    except KeyError as error:
        problems.append(f"a file that this looks into lacks the key {error}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    print(f"deploy/ is in order: Kubernetes {OLDEST_KUBERNETES} and {kubernetes_validate.latest_version()}, compose, unit")
    print("systemd-analyze verify: " + ("clean" if systemd else "skipped, systemd-analyze is not installed"))
    print("sidebeat check: " + ("clean" if options.program else "skipped, no --program"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
