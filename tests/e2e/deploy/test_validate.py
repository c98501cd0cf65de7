"""Each rule of validate.py, broken once in a copy of deploy/: .venv/bin/python -m unittest discover tests/e2e/deploy"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

from kustomize import render
from validate import problems_below

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]

PROMETHEUS = """\
      from:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: monitoring}    # where your Prometheus runs
"""
# (file below deploy/, what stands there, what is put instead, what must be complained of)
BREAKAGES = [
    ("kubernetes/deployment.yaml", "replicas: 2", "replicas: two", "spec.replicas"),
    ("kubernetes/deployment.yaml", "periodSeconds: 1\n", "periodSecond: 1\n", "periodSecond"),
    ("kubernetes/deployment.yaml", "  replicas: 2", "  replicas: 2\n  replicas: 3", "there twice"),
    ("kubernetes/deployment.yaml", "kind: Deployment", "kind: Deploiment", "no such kind"),
    ("kubernetes/deployment.yaml", "{name: sidebeat, mountPath", "{name: sidebet, mountPath", "no volume of the pod"),
    ("kubernetes/deployment.yaml", "configMap: {name: sidebeat}", "configMap: {name: sidebet}", "there is no ConfigMap"),
    ("kubernetes/deployment.yaml", "readOnly: true}", "readOnly: true, subPath: proxy.yaml}", "subPath"),
    ("kubernetes/deployment.yaml", "/livez, port: sidebeat-mgmt", "/livez, port: mgmt", "asks port mgmt"),
    ("kubernetes/deployment.yaml", "/livez, port: sidebeat-mgmt", "/livez, port: sidebeat", "must ask /livez on 9902"),
    ("kubernetes/deployment.yaml", "path: /livez", "path: /readyz", "only readiness may look at the backend"),
    ("kubernetes/deployment.yaml", "containerPort: 8080", "containerPort: 8081", "listen is 8080, which is no containerPort"),
    ("kubernetes/deployment.yaml", "containerPort: 9902", "containerPort: 9903", "metrics.listen is 9902"),
    ("kubernetes/deployment.yaml", 'value: "9501"', 'value: "9502"', "upstream is not where"),
    ("kubernetes/deployment.yaml", "          restartPolicy: Always\n", "", "native sidecar"),
    ("kubernetes/deployment.yaml", "Seconds: 75", "Seconds: 60", "take up to 65"),
    ("kubernetes/deployment.yaml", "{seconds: 35}", "{seconds: 25}", "ends before drain.timeout"),
    ("kubernetes/deployment.yaml", "sleep: {seconds: 35}", "exec: {command: [sleep, '35']}", "every image can do"),
    ("kubernetes/deployment.yaml", "[/sidebeat, drain]", "[/sidebeat, top]", "must begin the drain"),
    ("kubernetes/deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot"),
    ("kubernetes/deployment.yaml", "{drop: [ALL]}", "{drop: [NET_RAW]}", "no capabilities"),
    ("kubernetes/deployment.yaml", "limits: {memory: 256Mi} ", "limits: {} ", "memory limit"),
    ("kubernetes/deployment.yaml", "matchLabels: {app.kubernetes.io/name: chat}", "matchLabels: {app: chat}", "selector"),
    ("kubernetes/deployment.yaml", "image: sidebeat", "image: sidebeet", "no entry for"),
    ("kubernetes/deployment.yaml", "sidebeat: sidecar  ", "sidebeat: beside  ", "one Deployment with the sidecar"),
    ("kubernetes/service.yaml", "targetPort: 8080", "targetPort: web", "has a port web"),
    ("kubernetes/service.yaml", "targetPort: 8080", "targetPort: 8081", "has a port 8081"),
    ("kubernetes/service.yaml", "targetPort: 8080", "targetPort: sidebeat", "an init container's port"),
    ("kubernetes/service.yaml", "selector: {app.kubernetes.io/name: chat}", "selector: {app: chat}", "no pod it selects"),
    ("kubernetes/disruption.yaml", "name: chat}", "name: chatt}", "selects no pod"),
    ("kubernetes/disruption.yaml", "maxUnavailable", "maxUnavailble", "maxUnavailble"),
    ("kubernetes/network.yaml", "port: 9902", "port: 9901", "clients to 8080, and some to 9902"),
    ("kubernetes/network.yaml", "      from:\n", "      _from:\n", "_from"),
    ("kubernetes/network.yaml", PROMETHEUS, "", "clients to 8080, and some to 9902"),
    ("kubernetes/network.yaml", "sidebeat: sidecar", "sidebeat: inject", "selects no pod"),
    ("kubernetes/kustomization.yaml", "disableNameSuffixHash: true", "disableNameSuffixHash: false", "rollout"),
    ("kubernetes/kustomization.yaml", "[proxy.yaml]", "[prox.yaml]", "does not exist"),
    ("kubernetes/kustomization.yaml", "  - service.yaml\n", "", "no entry of kustomization.yaml"),
    ("kubernetes/kustomization.yaml", "resources:", "resorces:", "misspelt"),
    ("kubernetes/proxy.yaml", "timeout: 30s", "timeout: 12s", "do not fit"),
    ("kubernetes/proxy.yaml", "timeout: 30s", "timeout: 45s", "ends before drain.timeout"),
    ("kubernetes/proxy.yaml", "log:", "admin: off\nlog:", "needs the admin API"),
    ("kubernetes/component/kustomization.yaml", "kind: Component", "kind: Kustomization", "kind must be Component"),
    ("kubernetes/component/kustomization.yaml", "sidebeat=inject", "sidebeat=on", "one Deployment with the sidecar"),
    ("kubernetes/component/kustomization.yaml", "  - path: service.yaml\n    target: {kind: Service, labelSelector: sidebeat=inject}\n", "", "no entry of"),
    ("kubernetes/component/sidecar.yaml", "failureThreshold: 30", "failureThreshold: 3", "do not add what deployment.yaml has"),
    ("kubernetes/component/main.yaml", "seconds: 35", "seconds: 40", "do not add what deployment.yaml has"),
    ("kubernetes/component/service.yaml", "value: 8080", "value: web", "has a port web"),
    ("kubernetes/component/service.yaml", "value: 8080", "value: sidebeat", "an init container's port"),
    ("kubernetes/component/service.yaml", "value: 8080", "value: 9502", "leads past the sidecar"),
    ("kubernetes/example/legacy.yaml", "image: legacy:2019\n", "image: legacy:2019\n          lifecycle: {postStart: {sleep: {seconds: 1}}}\n", "testing"),
    ("kubernetes/example/settings/kustomization.yaml", "behavior: merge", "behavior: create", "there 1 times already"),
    ("kubernetes/example/settings/proxy.yaml", "127.0.0.1:9502", "127.0.0.1:9501", "upstream is not where"),
    ("kubernetes/monitoring/podmonitor.yaml", "path: /metrics", "pth: /metrics", "podMetricsEndpoints.0"),
    ("kubernetes/monitoring/podmonitor.yaml", "port: sidebeat-mgmt", "port: metrics", "has a port metrics"),
    ("kubernetes/monitoring/podmonitor.yaml", "jobLabel: app.kubernetes.io/name", "jobLabel: app", "no label app"),
    ("kubernetes/monitoring/autoscaler.yaml", "name: chat}", "name: chatt}", "no Deployment chatt"),
    ("kubernetes/monitoring/autoscaler.yaml", '"5000"', '"10000"', "never scale"),
    ("kubernetes/monitoring/adapter.yaml", "sidebeat_connections{", "sidebeat_connection{", "no rule of adapter.yaml"),
    ("compose.yaml", "build: swoole", "build: swool", "does not exist"),
    ("compose.yaml", "./compose:/etc", "./compose/proxy.yaml:/etc", "must be a directory"),
    ("compose.yaml", 'expose: ["9501"]', 'ports: ["9501:9501"]', "publishes a port"),
    ("compose.yaml", "depends_on: [chat]", "depends_on: [chatt]", "which is no service"),
    ("compose.yaml", "depends_on: [chat]", "depends_on: []", "must depend on"),
    ("compose.yaml", "stop_grace_period: 35s", "stop_grace_period: 30s", "stop_grace_period"),
    ("compose.yaml", '["8080:8080"]', '["8080:80"]', "must publish 8080"),
    ("compose.yaml", "8080/health", "8080/", "becomes a member"),
    ("swoole/server.php", "=== '/health'", "=== '/helth'", "becomes a member"),
    ("compose/proxy.yaml", "ws://chat:9501", "ws://swoole:9501", "is no service"),
    ("compose/proxy.yaml", ", timeout: 30s", "", "write drain.timeout"),
    ("systemd/sidebeat.service", "TimeoutStopSec=35s\n", "", "TimeoutStopSec"),
    ("systemd/sidebeat.service", "ExecStart=", "ExecStartPre=/usr/local/bin/sidebeat check\nExecStart=", "is started again"),
]
if shutil.which("systemd-analyze"):
    BREAKAGES.append(("systemd/sidebeat.service", "DynamicUser=yes", "DynamicUsr=yes", "DynamicUsr"))


def kustomize_of_kubectl():
    """The major version, 0 without."""
    if not shutil.which("kubectl"):
        return 0
    command = ["kubectl", "version", "--client", "-o", "json"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    version = json.loads(told).get("kustomizeVersion", "v0") if told else "v0"
    return int(version.removeprefix("v").partition(".")[0])


def by_name(objects):
    return {(item["kind"], item["metadata"]["name"]): item for item in objects}


class Rules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copytree(ROOT / "deploy", self.root / "deploy")

    def test_what_we_ship_is_in_order(self):
        command = [sys.executable, HERE / "validate.py", "--root", ROOT]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_every_breakage_is_named(self):
        for file, before, after, complaint in BREAKAGES:
            with self.subTest(file=file, after=after):
                path = self.root / "deploy" / file
                sound = path.read_text(encoding="utf-8")
                self.assertIn(before, sound, "the table is behind the file")
                path.write_text(sound.replace(before, after, 1), encoding="utf-8")
                problems = problems_below(self.root)
                path.write_text(sound, encoding="utf-8")
                self.assertIn(complaint, "\n".join(problems))

    def test_kustomize_says_the_same(self):
        if kustomize_of_kubectl() < 5:
            self.skipTest("kubectl with kustomize 5 is not installed")
        for folder in (".", "example", "monitoring"):
            with self.subTest(folder=folder):
                path = ROOT / "deploy" / "kubernetes" / folder
                theirs = subprocess.run(["kubectl", "kustomize", path], capture_output=True, text=True, timeout=60, check=True)
                ours = render(path, self.fail)
                self.assertEqual(by_name(ours), by_name(yaml.safe_load_all(theirs.stdout)))

    def test_a_config_that_the_program_refuses_is_named(self):
        problems = problems_below(self.root, shutil.which("false"))
        self.assertIn("proxy.yaml: sidebeat check:", "\n".join(problems))


if __name__ == "__main__":
    unittest.main()
