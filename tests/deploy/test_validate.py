"""Each rule of validate.py, broken once in a copy of deploy/: .venv/bin/python -m unittest discover tests/deploy"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# (file below deploy/, what stands there, what is put instead, what must be complained of)
BREAKAGES = [
    ("kubernetes/deployment.yaml", "replicas: 2", "replicas: two", "spec.replicas"),
    ("kubernetes/deployment.yaml", "periodSeconds: 1\n", "periodSecond: 1\n", "periodSecond"),
    ("kubernetes/deployment.yaml", "  replicas: 2", "  replicas: 2\n  replicas: 3", "there twice"),
    ("kubernetes/deployment.yaml", "kind: Deployment", "kind: Deploiment", "no such kind"),
    ("kubernetes/deployment.yaml", "{name: config, mountPath", "{name: confg, mountPath", "no volume of the pod"),
    ("kubernetes/deployment.yaml", "configMap: {name: sidebeat}", "configMap: {name: sidebet}", "there is no ConfigMap"),
    ("kubernetes/deployment.yaml", "readOnly: true}", "readOnly: true, subPath: proxy.yaml}", "subPath"),
    ("kubernetes/deployment.yaml", "tcpSocket: {port: websocket}", "tcpSocket: {port: ws}", "asks port ws"),
    ("kubernetes/deployment.yaml", "containerPort: 8080", "containerPort: 8081", "no containerPort"),
    ("kubernetes/deployment.yaml", 'value: "9501"', 'value: "9502"', "upstream is not where"),
    ("kubernetes/deployment.yaml", "          restartPolicy: Always\n", "", "native sidecar"),
    ("kubernetes/deployment.yaml", "Seconds: 75", "Seconds: 60", "take up to 70"),
    ("kubernetes/deployment.yaml", '- "40"', '- "20"', "cut off before drain.timeout"),
    ("kubernetes/deployment.yaml", "- timeout\n", "- nohup\n", "begins with `timeout SECONDS`"),
    ("kubernetes/deployment.yaml", "shareProcessNamespace: true", "shareProcessNamespace: false", "cannot see"),
    ("kubernetes/deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot"),
    ("kubernetes/deployment.yaml", "{drop: [ALL]}", "{drop: [NET_RAW]}", "no capabilities"),
    ("kubernetes/deployment.yaml", "limits: {memory: 256Mi} ", "limits: {} ", "memory limit"),
    ("kubernetes/deployment.yaml", "matchLabels: {app.kubernetes.io/name: chat}", "matchLabels: {app: chat}", "selector"),
    ("kubernetes/deployment.yaml", "image: sidebeat", "image: sidebeet", "no entry for"),
    ("kubernetes/service.yaml", "targetPort: websocket", "targetPort: web", "has a port web"),
    ("kubernetes/service.yaml", "selector: {app.kubernetes.io/name: chat}", "selector: {app: chat}", "no pod it selects"),
    ("kubernetes/kustomization.yaml", "disableNameSuffixHash: true", "disableNameSuffixHash: false", "rollout"),
    ("kubernetes/kustomization.yaml", "[proxy.yaml]", "[prox.yaml]", "does not exist"),
    ("kubernetes/kustomization.yaml", "  - service.yaml\n", "", "no entry of kustomization.yaml"),
    ("kubernetes/kustomization.yaml", "resources:", "resorces:", "misspelt"),
    ("kubernetes/proxy.yaml", "timeout: 30s", "timeout: 12s", "do not fit"),
    ("kubernetes/proxy.yaml", "timeout: 30s", "timeout: 45s", "cut off before drain.timeout"),
    ("compose.yaml", "build: swoole", "build: swool", "does not exist"),
    ("compose.yaml", "./compose:/etc", "./compose/proxy.yaml:/etc", "must be a directory"),
    ("compose.yaml", 'expose: ["9501"]', 'ports: ["9501:9501"]', "publishes a port"),
    ("compose.yaml", "depends_on: [chat]", "depends_on: [chatt]", "which is no service"),
    ("compose.yaml", "depends_on: [chat]", "depends_on: []", "must depend on"),
    ("compose.yaml", "stop_grace_period: 35s", "stop_grace_period: 30s", "stop_grace_period"),
    ("compose.yaml", '["8080:8080"]', '["8080:80"]', "must publish 8080"),
    ("compose/proxy.yaml", "ws://chat:9501", "ws://swoole:9501", "is no service"),
    ("compose/proxy.yaml", ", timeout: 30s", "", "write drain.timeout"),
    ("systemd/sidebeat.service", "TimeoutStopSec=35s\n", "", "TimeoutStopSec"),
]
if shutil.which("systemd-analyze"):
    BREAKAGES.append(("systemd/sidebeat.service", "DynamicUser=yes", "DynamicUsr=yes", "DynamicUsr"))


def validate(root, *more):
    command = [sys.executable, str(HERE / "validate.py"), "--root", str(root), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


class Rules(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        shutil.copytree(ROOT / "deploy", self.root / "deploy")

    def test_what_we_ship_is_in_order(self):
        result = validate(ROOT)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_every_breakage_is_named(self):
        for file, before, after, complaint in BREAKAGES:
            with self.subTest(file=file, after=after):
                path = self.root / "deploy" / file
                sound = path.read_text(encoding="utf-8")
                self.assertIn(before, sound, "the table is behind the file")
                path.write_text(sound.replace(before, after, 1), encoding="utf-8")
                result = validate(self.root)
                path.write_text(sound, encoding="utf-8")
                self.assertEqual(result.returncode, 1)
                self.assertIn(complaint, result.stderr)
                self.assertNotIn("Traceback", result.stderr)

    def test_a_config_that_the_program_refuses_is_named(self):
        result = validate(self.root, "--program", shutil.which("false"))
        self.assertEqual(result.returncode, 1)
        self.assertIn("proxy.yaml: sidebeat check:", result.stderr)


if __name__ == "__main__":
    unittest.main()
