"""The admin API against its own description: schemathesis makes the calls, from a fixed seed, to a running sidecar."""

import contextlib
import json
import pathlib
import subprocess
import sys
import threading
import urllib.request

import pytest
from processes import PATIENCE, World
from websockets.sync.client import connect
from websockets.sync.server import serve

SCHEMATHESIS = pathlib.Path(sys.executable).parent / "schemathesis"
CLIENTS = 5
# Never ends; ends the process. Both have their tests in tests/it/admin.
LEFT_OUT = ["/api/events", "/api/drain"]
# A connection that is being closed is still there, so that these two would complain of it.
NOT_SO = "use_after_free,ensure_resource_availability"


def echo(socket):
    for message in socket:
        socket.send(message)


@contextlib.contextmanager
def client(process):
    """One that has sent a heartbeat of the application's, and answers pings."""
    with connect(f"ws://{process.address}/chat", proxy=None) as socket:
        socket.send('{"type":"ping","version":"2.1"}')
        assert json.loads(socket.recv(timeout=PATIENCE))["type"] == "pong"
        yield socket


class Api(World):
    """A sidecar with an echo behind it, clients that answer pings, and some that have left."""

    def __init__(self, folder):
        super().__init__(folder)
        self.open = contextlib.ExitStack()
        self.open.callback(super().end)

    def start(self):
        backend = self.open.enter_context(serve(echo, "127.0.0.1", 0))
        backend.port = backend.socket.getsockname()[1]
        thread = threading.Thread(target=backend.serve_forever)
        thread.start()
        self.open.callback(thread.join)
        self.open.callback(backend.shutdown)
        heartbeat = {"app": [{"preset": "json", "capture": ["version"]}]}
        process = self.sidecar(backend, admin={"listen": "127.0.0.1:0"}, heartbeat=heartbeat)
        self.url = f"http://{process.expect('admin_listening')['address']}"
        for _ in range(CLIENTS):
            self.open.enter_context(client(process))
        for _ in range(3):
            with client(process):
                pass
            process.expect("connection_closed")

    def end(self):
        self.open.close()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
            return json.load(answer)

    def run_schemathesis(self, *options, parameters):
        """Runs it to its end; what it complains of fails the test."""
        config = self.folder / "schemathesis.toml"
        values = "\n".join(f'{name} = "{value}"' for name, value in parameters.items())
        config.write_text(f"[parameters]\n{values}\n")
        command = [SCHEMATHESIS, "--config-file", config, "run", f"{self.url}/api/openapi.json"]
        bounds = ["--seed", "1", "--max-examples", "25", "--request-timeout", "20", "--no-color"]
        checks = ["--exclude-checks", NOT_SO, "--continue-on-failure", "--warnings", "off"]
        ran = subprocess.run([*command, *bounds, *checks, *options], capture_output=True, text=True, cwd=self.folder)
        print(ran.stdout, ran.stderr, flush=True)
        return ran


@pytest.fixture
def api(tmp_path):
    api = Api(tmp_path)
    try:
        api.start()
        yield api
    finally:
        api.end()


def test_every_call_is_as_described(api):
    # Any text is a cursor, as far as a description can say; those that mean nothing are refused.
    left_out = [option for path in LEFT_OUT for option in ("--exclude-path", path)]
    assert api.run_schemathesis(*left_out, parameters={"cursor": ""}).returncode == 0
    assert api.get("/api/summary")["connections"]["established"] == CLIENTS


def test_and_so_are_calls_about_a_connection_that_is_there(api):
    for connection in api.get("/api/connections")["connections"][:2]:
        # Closing it comes last.
        for operations in [["connection", "ping"], ["close"]]:
            only = [option for name in operations for option in ("--include-operation-id", name)]
            ran = api.run_schemathesis(*only, parameters={"id": connection["conn"]})
            assert ran.returncode == 0
    reasons = [record["reason"] for record in api.get("/api/closed")["closed"]]
    assert reasons.count("killed") == 2, "the calls reached them"


def test_a_wrong_description_is_noticed(api):
    """The runner complains when an answer is not as described: nothing passes because nothing is looked at."""
    description = api.get("/api/openapi.json")
    summary = description["components"]["schemas"]["Summary"]
    summary["properties"]["version"]["type"] = "integer"
    file = api.folder / "wrong.json"
    file.write_text(json.dumps(description))
    command = [SCHEMATHESIS, "run", file, "--url", api.url, "--include-path", "/api/summary", "--max-examples", "1"]
    ran = subprocess.run([*command, "--no-color"], capture_output=True, text=True, cwd=api.folder)
    assert ran.returncode != 0
    assert "Response violates schema" in ran.stdout, ran.stdout
