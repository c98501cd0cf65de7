"""Alerts and dashboard against the program's own /metrics: whatever they ask for is there.

SIDEBEAT is the program, PROMTOOL is promtool where it is not on the PATH.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = ROOT / os.environ.get("SIDEBEAT", "target/debug/sidebeat")
PROMTOOL = os.environ.get("PROMTOOL") or shutil.which("promtool")
RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
CASES = ROOT / "deploy" / "prometheus" / "alerts_test.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
CONFIG = """
listen: 127.0.0.1:0
upstream: ws://127.0.0.1:1
metrics: {listen: '127.0.0.1:0'}
admin: off
heartbeat: {app: [{preset: json}]}
log: {format: json}
"""
OF_TARGETS = {"namespace", "job", "pod", "instance"}  # Prometheus adds them
ASKED = re.compile(r"\b((?:sidebeat|process)_[a-z_]+)\b(\{[^}]*\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|=)\s*"([^"]*)"')
GROUPED = re.compile(r"\b(?:by|on|without)\s*\(([^)]*)\)")
# Grafana's own words, for a parser that knows only PromQL.
GRAFANA = {"$__rate_interval": "5m"}


def scrape():
    """What a program that has just started answers: the values of each label, by the series' name."""
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "proxy.yaml"
        config.write_text(CONFIG, encoding="utf-8")
        with subprocess.Popen([PROGRAM, "run", "-c", config], stdout=subprocess.PIPE, text=True) as process:
            patience = threading.Timer(60, process.kill)
            patience.start()
            try:
                told = (json.loads(line) for line in process.stdout)
                address = next(line["address"] for line in told if line["event"] == "metrics_listening")
                with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as answer:
                    text = answer.read().decode()
            finally:
                patience.cancel()
                process.kill()
    found = {}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? ", text, re.M):
        values = found.setdefault(name, {})
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
            values.setdefault(label, set()).add(value)
    return found


def alerts():
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def questions(dashboard):
    """Every piece of PromQL in the dashboard, with where it stands."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def problems(question, series):
    """What a question asks for that is not in `series`."""
    asked = ASKED.findall(re.sub(r'"[^"]*"', '""', GROUPED.sub("", question)))
    for name in {name for name, _ in asked} - series.keys():
        yield f"there is no {name}"
    known = OF_TARGETS.union({"le"}, *(series.get(name, {}) for name, _ in asked))
    for group in GROUPED.findall(question):
        for label in {label.strip() for label in group.split(",")} - known:
            yield f"grouped by {label}, which none of its series has"
    for name, selector in ASKED.findall(question):
        for label, how, value in MATCHER.findall(selector):
            if label in OF_TARGETS or name not in series:
                continue
            for wanted in value.split("|") if how == "=~" else [value]:
                if wanted not in series[name].get(label, ()):
                    yield f"{name} has no {label}={wanted}"


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.series = scrape()

    def test_alerts_ask_for_what_is_there(self):
        for rule in alerts():
            self.assertEqual(list(problems(rule["expr"], self.series)), [], rule["alert"])

    def test_the_dashboard_asks_for_what_is_there(self):
        dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        for where, question in questions(dashboard):
            self.assertEqual(list(problems(question, self.series)), [], where)
        for variable in dashboard["templating"]["list"]:
            for name, _ in ASKED.findall(str(variable["query"])):
                self.assertIn(name, self.series)

    def test_the_alerts_own_tests_have_series_that_are_there(self):
        for case in yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]:
            for given in case["input_series"]:
                labels = dict(re.findall(r'(\w+)="([^"]*)"', given["series"]))
                free = OF_TARGETS | {"route", "version", "upstream", "le"}
                selector = ",".join(f'{key}="{value}"' for key, value in labels.items() if key not in free)
                name = given["series"].partition("{")[0]
                if name != "up":
                    self.assertEqual(list(problems(f"{name}{{{selector}}}", self.series)), [], given["series"])

    def test_what_is_not_there_is_named(self):
        reason = 'sidebeat_handshakes_failed_total{reason=~"draining|%s"}'
        for question, complaint in (
            ("rate(sidebeat_connection[5m])", "there is no sidebeat_connection"),
            ("histogram_quantile(0.9, sum by (le) (rate(sidebeat_rtt_seconds[5m])))", "there is no sidebeat_rtt_seconds"),
            ("sum by (raison) (sidebeat_connections_closed_total)", "grouped by raison, which none of its series has"),
            (reason % "drained", "sidebeat_handshakes_failed_total has no reason=drained"),
            ('sidebeat_pings_sent_total{peer="backend"}', "sidebeat_pings_sent_total has no peer=backend"),
        ):
            self.assertEqual(list(problems(question, self.series)), [complaint])
        self.assertEqual(list(problems(reason % "over_capacity", self.series)), [])


class Alerts(unittest.TestCase):
    def test_each_says_what_to_do_and_how_urgent_it_is(self):
        fired = re.findall(r'alertname="(\w+)",alertstate="firing",severity="(\w+)"', CASES.read_text(encoding="utf-8"))
        for rule in alerts():
            with self.subTest(alert=rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("critical", "warning"))
                self.assertEqual(rule["annotations"].keys(), {"summary", "description"})
                self.assertIn((rule["alert"], rule["labels"]["severity"]), fired, "alerts_test.yaml never lets it fire")
        self.assertEqual(len(alerts()), len({rule["alert"] for rule in alerts()}))

    def test_both_readmes_list_them(self):
        expected = [(rule["alert"], rule["labels"]["severity"]) for rule in alerts()]
        for file in ("README.md", "README.zh-CN.md"):
            table = (ROOT / file).read_text(encoding="utf-8").partition("<!-- table: alerts -->")[2].partition("<!-- end -->")[0]
            self.assertEqual(re.findall(r"^\| `(\w+)` \| (\w+) \|", table, re.M), expected, file)

    def test_the_operators_form_is_made_of_the_same_file(self):
        """As monitoring/kustomization.yaml says: a head, and the file, indented."""
        comment = (ROOT / "deploy/kubernetes/monitoring/kustomization.yaml").read_text(encoding="utf-8")
        lines = [line[1:].strip() for line in comment.splitlines() if re.match(r"#   [( ]", line)]
        script = " \n".join(lines).replace("| kubectl apply -f -", "")
        made = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
        wrapped = yaml.safe_load(made.stdout)
        self.assertEqual(wrapped["kind"], "PrometheusRule")
        self.assertEqual(wrapped["spec"], yaml.safe_load(RULES.read_text(encoding="utf-8")))


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))

    def test_every_query_can_be_parsed(self):
        if not PROMTOOL:
            self.skipTest("promtool is not installed")
        rules = []
        for index, (_, question) in enumerate(questions(self.dashboard)):
            for word, meaning in GRAFANA.items():
                question = question.replace(word, meaning)
            rules.append({"record": f"panel:query:{index}", "expr": question})
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "rules.yaml"
            file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
            command = [PROMTOOL, "check", "rules", file]
            result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_panels_can_be_told_apart_and_do_not_overlap(self):
        ids = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        taken = {}
        for panel in self.dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    other = taken.setdefault((x, y), panel["title"])
                    self.assertIs(other, panel["title"], f"{other} and {panel['title']} overlap")

    def test_panels_say_what_they_show_and_ask_the_chosen_source_about_the_chosen_pods(self):
        source = {"type": "prometheus", "uid": "${datasource}"}
        names = [variable["name"] for variable in self.dashboard["templating"]["list"]]
        self.assertEqual(names, ["datasource", "namespace", "job", "pod", "instance"])
        for panel in panels(self.dashboard):
            with self.subTest(panel=panel["title"]):
                self.assertTrue(panel["description"])
                for asking in [panel, *panel["targets"]]:
                    self.assertEqual(asking["datasource"], source)
        for where, question in questions(self.dashboard):
            for name, selector in ASKED.findall(GROUPED.sub("", question)):
                for variable in names[1:]:
                    self.assertIn(f'{variable}=~"${variable}"', selector, f"{where}: {name} of all {variable}s")


if __name__ == "__main__":
    unittest.main()
