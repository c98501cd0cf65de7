"""Metrics, read by Prometheus' own parsers."""

import http.client
import shutil
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

# Which libraries talk is nothing to the metrics.
pytestmark = pytest.mark.parametrize(("client_library", "backend_library"), [("websockets", "websockets")])

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
# As Prometheus 3 asks.
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
AWKWARD = 'quo"ted \\ back, {braces}\' é'
SETTINGS = {
    "metrics": {"listen": "127.0.0.1:0"},
    "heartbeat": {
        "check_interval": "20ms",
        "client": {"ping_interval": "100ms"},
        "app": [{"name": AWKWARD, "match": {"text": "hi"}, "reply": "there"}],
    },
    "routes": [{"match": {"path_prefix": "/chat", "host": "*.example.com", "subprotocol": "mqtt"}}],
}


def get(address, accept):
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("GET", "/metrics", headers={"Accept": accept})
    response = connection.getresponse()
    assert response.status == 200
    text = response.read().decode()
    connection.close()
    return response.headers["Content-Type"], text


def samples(families):
    """The value of every series; parsers of both formats name samples alike."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def address(world):
    """Where the metrics of a sidecar are that has seen something of everything."""
    client, sidecar, backend = world.three(SETTINGS, echo=True)
    client.expect("message", **client.send(text="hello"))
    client.send(text="hi")
    client.expect("message", kind="text")
    world.client(sidecar, path="/forbidden").expect("refused", status=403)
    gone = world.connected(sidecar)
    gone.kill()
    sidecar.expect("connection_closed", reason="client_lost")
    return next(told["address"] for told in sidecar.seen if told["event"] == "metrics_listening")


def test_both_formats_are_read_by_their_parsers_and_say_the_same(address):
    text_type, text = get(address, "text/plain")
    open_type, opened = get(address, PROMETHEUS)
    assert text_type == "text/plain; version=0.0.4; charset=utf-8"
    assert open_type == OPEN_METRICS
    text_families, open_families = list(parse_text(text)), list(parse_open_metrics(opened))
    kinds = {family.name: family.type for family in open_families}
    assert "unknown" not in kinds.values()
    assert kinds["sidebeat_connections_opened"] == "counter"
    assert kinds["sidebeat_rtt_seconds"] == "histogram"
    assert kinds["sidebeat_build"] == "info"
    assert all(family.documentation for family in text_families + open_families)
    assert {family.unit for family in open_families} == {"", "seconds", "bytes"}

    text_samples, open_samples = samples(text_families), samples(open_families)
    assert text_samples.keys() == open_samples.keys()
    assert open_samples["sidebeat_app_heartbeats_total", (("rule", AWKWARD),)] == 1
    assert open_samples["sidebeat_connections", (("route", "default"),)] == 1
    assert open_samples["sidebeat_connections", (("route", "*.example.com/chat/*[mqtt]"),)] == 0
    lost = (("initiator", "client"), ("reason", "client_lost"), ("route", "default"))
    assert open_samples["sidebeat_connections_closed_total", lost] == 1
    assert open_samples["sidebeat_handshakes_failed_total", (("reason", "upstream_rejected"),)] == 1


def test_promtool_finds_nothing_to_complain_of(address):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed")
    _, text = get(address, "text/plain")
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
