"""What must hold of the objects in deploy/kubernetes: their schemas, the names they share, and the time that draining has."""

import jsonschema
import kubernetes_validate

from kustomize import containers
from reading import Broken

OLDEST_KUBERNETES = "1.30"  # native sidecars are on by default from 1.29, the sleep of a hook from 1.30

# The Prometheus Operator's own kind, of which kubernetes-validate knows nothing: as much of it as we use.
POD_MONITOR = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "monitoring.coreos.com/v1"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {
            "type": "object",
            "required": ["selector", "podMetricsEndpoints"],
            "additionalProperties": False,
            "properties": {
                "jobLabel": {"type": "string"},
                "selector": {"type": "object", "required": ["matchLabels"]},
                "podMetricsEndpoints": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["port", "path"],
                        "additionalProperties": False,
                        "properties": {
                            "port": {"type": "string"},
                            "path": {"type": "string", "pattern": "^/"},
                            "interval": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$"},
                        },
                    },
                },
            },
        },
    },
}


def of_kind(objects, kind):
    return [item for item in objects if item["kind"] == kind]


def pods_of(objects):
    return [deployment["spec"]["template"] for deployment in of_kind(objects, "Deployment")]


def chosen(objects, labels):
    """The pods that have these labels."""
    return [pod for pod in pods_of(objects) if labels.items() <= pod["metadata"]["labels"].items()]


def ports_of(pod):
    spec = pod["spec"]
    return [port for container in spec.get("initContainers", []) + spec["containers"] for port in container.get("ports", [])]


def check_schema(objects, report):
    for item in objects:
        name = f"{item.get('kind')} {item.get('metadata', {}).get('name')}"
        if item.get("kind") == "PodMonitor":
            for error in jsonschema.Draft202012Validator(POD_MONITOR).iter_errors(item):
                report(f"{name}: {'.'.join(map(str, error.path))}: {error.message}")
            continue
        for version in (OLDEST_KUBERNETES, kubernetes_validate.latest_version()):
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                report(f"{name}, Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message}")
            except (kubernetes_validate.SchemaNotFoundError, KeyError) as error:
                report(f"{name}, Kubernetes {version}: no such kind: {error}")


def check_names(objects, report):
    """Everything that refers to something else by name or number."""
    maps = {item["metadata"]["name"] for item in of_kind(objects, "ConfigMap")}
    for deployment in of_kind(objects, "Deployment"):
        pod = deployment["spec"]["template"]
        if not deployment["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items():
            report("Deployment: its selector does not match its pods' labels")
        volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
        used = set()
        for volume in volumes.values():
            if "configMap" in volume and volume["configMap"]["name"] not in maps:
                report(f"Deployment: volume {volume['name']}: there is no ConfigMap {volume['configMap']['name']}")
        for container in containers(deployment):
            name = container["name"]
            ports = {port.get("name") for port in container.get("ports", [])}
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
    check_selectors(objects, report)


def check_service(service, pods, report):
    """Its ports lead to the sidecar, in a way that the oldest Kubernetes follows."""
    name = f"Service {service['metadata']['name']}"
    numbers = {port["containerPort"] for pod in pods for port in ports_of(pod)}
    # Before 1.33 the EndpointSlice controller looks for names among ordinary containers alone (kubernetes#128850).
    names = {port.get("name") for pod in pods for container in pod["spec"]["containers"] for port in container.get("ports", [])}
    of_init = {port.get("name") for pod in pods for port in ports_of(pod)} - names
    sidecars = [c for pod in pods for c in pod["spec"].get("initContainers", []) if c["name"] == "sidebeat"]
    of_sidecar = {port["containerPort"] for sidecar in sidecars for port in sidecar.get("ports", [])}
    for port in service["spec"]["ports"]:
        target = port["targetPort"]
        if target in of_init:
            report(f"{name}: {target} is the name of an init container's port, which Kubernetes {OLDEST_KUBERNETES} does not find")
        elif target not in numbers | names:
            report(f"{name}: no pod it selects has a port {target}")
        elif sidecars and target not in of_sidecar:
            report(f"{name}: port {target} leads past the sidecar")


def check_selectors(objects, report):
    for service in of_kind(objects, "Service"):
        check_service(service, chosen(objects, service["spec"]["selector"]), report)
    for monitor in of_kind(objects, "PodMonitor"):
        pods = chosen(objects, monitor["spec"]["selector"]["matchLabels"])
        names = {port.get("name") for pod in pods for port in ports_of(pod)}
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            if endpoint["port"] not in names:
                report(f"PodMonitor {monitor['metadata']['name']}: no pod it selects has a port {endpoint['port']}")
        if not all(monitor["spec"]["jobLabel"] in pod["metadata"]["labels"] for pod in pods):
            report(f"PodMonitor: pods have no label {monitor['spec']['jobLabel']}")
    for budget in of_kind(objects, "PodDisruptionBudget"):
        if not chosen(objects, budget["spec"]["selector"]["matchLabels"]):
            report(f"PodDisruptionBudget {budget['metadata']['name']}: selects no pod")
    deployments = {item["metadata"]["name"] for item in of_kind(objects, "Deployment")}
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        if scaler["spec"]["scaleTargetRef"]["name"] not in deployments:
            report(f"HorizontalPodAutoscaler: there is no Deployment {scaler['spec']['scaleTargetRef']['name']}")


def check_hardening(objects, report):
    for deployment in of_kind(objects, "Deployment"):
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


def check_sidecar(pod, proxy, report):
    """The sidecar's place in a pod, its probes, and the time it has for draining."""
    spec = pod["spec"]
    sidecar = next((c for c in spec.get("initContainers", []) if c["name"] == "sidebeat"), None)
    if sidecar is None or sidecar.get("restartPolicy") != "Always":
        raise Broken("Deployment: sidebeat must be an init container with restartPolicy Always, a native sidecar")
    ports = {port["name"]: port["containerPort"] for port in sidecar.get("ports", [])}
    for wanted, key in ((proxy.port, "listen"), (proxy.metrics_port, "metrics.listen")):
        if wanted not in ports.values():
            report(f"{proxy.name}: {key} is {wanted}, which is no containerPort of sidebeat")
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        asked = sidecar.get(probe, {}).get("httpGet", {})
        if (asked.get("path"), ports.get(asked.get("port"))) != (path, proxy.metrics_port):
            report(f"sidebeat: {probe} must ask {path} on {proxy.metrics_port}: only readiness may look at the backend")
    main = spec["containers"][0]
    env = {entry["name"]: entry.get("value") for entry in main.get("env", [])}
    of_main = [str(port["containerPort"]) for port in main.get("ports", [])] or [env.get("CHAT_PORT")]
    if proxy.upstream_host != env.get("CHAT_HOST", "127.0.0.1") or str(proxy.upstream_port) not in of_main:
        report(f"{proxy.name}: upstream is not where {main['name']} listens")
    check_draining(spec, sidecar, main, proxy, report)


def check_draining(spec, sidecar, main, proxy, report):
    if sidecar.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command") != ["/sidebeat", "drain"]:
        report("sidebeat: its preStop must begin the drain: SIGTERM comes to a native sidecar after all others have ended")
    if not proxy.has_admin:
        report(f"{proxy.name}: `sidebeat drain` needs the admin API, which is off")
    hook = main.get("lifecycle", {}).get("preStop", {})
    if "sleep" not in hook:
        raise Broken(f"{main['name']}: preStop must be `sleep`, which every image can do")
    pre_stop = hook["sleep"]["seconds"]
    if pre_stop <= proxy.drain_timeout:
        report(f"{main['name']}: preStop ({pre_stop:g} s) ends before drain.timeout ({proxy.drain_timeout:g} s)")
    needed, given = pre_stop + proxy.drain_timeout, spec.get("terminationGracePeriodSeconds", 30)
    if given < needed:
        report(f"Deployment: terminationGracePeriodSeconds is {given}; preStop and drain.timeout take up to {needed:g}")


def check_policies(objects, proxy, report):
    """NetworkPolicies let in what is to be let in, and nothing else."""
    for policy in of_kind(objects, "NetworkPolicy"):
        if not chosen(objects, policy["spec"]["podSelector"]["matchLabels"]):
            report(f"NetworkPolicy {policy['metadata']['name']}: selects no pod")
        rules = policy["spec"]["ingress"]
        let_in = {port["port"]: "from" in rule for rule in rules for port in rule["ports"]}
        if let_in != {proxy.port: False, proxy.metrics_port: True}:
            report(f"NetworkPolicy: clients to {proxy.port}, and some to {proxy.metrics_port}; not {sorted(let_in)}")


def check_scaling(objects, adapter, proxy, report):
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        for metric in scaler["spec"]["metrics"]:
            name, target = metric["pods"]["metric"]["name"], metric["pods"]["target"]["averageValue"]
            if not any(rule["seriesQuery"].startswith(name + "{") for rule in adapter["rules"]["custom"]):
                report(f"HorizontalPodAutoscaler: no rule of adapter.yaml serves {name}")
            if int(target) >= proxy.max_connections:
                report(f"HorizontalPodAutoscaler: {target} a pod, and it takes {proxy.max_connections}: it would never scale")


def check_component(deployed, added, report):
    """The sidecar that the component adds is the one of the Deployment, so that one description holds for both."""

    def essence(pod):
        spec = pod["spec"]
        sidecar = next(dict(c) for c in spec["initContainers"] if c["name"] == "sidebeat")
        sidecar.pop("image")
        hook, volumes = spec["containers"][0]["lifecycle"], [v for v in spec["volumes"] if v["name"] == "sidebeat"]
        return sidecar, hook, volumes, spec["terminationGracePeriodSeconds"], pod["metadata"]["labels"].get("sidebeat")

    if essence(deployed) != essence(added):
        report("component/sidecar.yaml and main.yaml do not add what deployment.yaml has")
