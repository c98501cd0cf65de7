"""Processes that talk in lines of JSON: the sidecar by its log, the peers by what they tell. README.md has an overview."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROGRAM = ROOT / os.environ.get("SIDEBEAT", "target/debug/sidebeat")
PEERS = {"websockets": [sys.executable, HERE / "peer.py"], "ws": ["node", HERE / "peer.mjs"]}
PATIENCE = 20  # seconds for anything to happen that should happen at once


class Process:
    """A process whose stdout is JSON, one object a line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events, self.seen = queue.Queue(), []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with self.process.stdout as lines:
            for line in lines:
                self.events.put(json.loads(line))
        self.events.put(None)

    def expect(self, event, patience=PATIENCE, **fields):
        """The next event of that name, past others; it must have these fields."""
        deadline = time.monotonic() + patience
        while True:
            try:
                told = self.events.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                told = None
            assert told is not None, f"no `{event}` came, but: {self.seen[-10:]}"
            self.seen.append(told)
            if told["event"] == event:
                assert told == {**told, **fields}
                return told

    def told(self, event):
        """How often an event of that name was passed by or taken so far."""
        return sum(told["event"] == event for told in self.seen)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.stdin.close()
        self.kill()


class Peer(Process):
    """A client or a backend."""

    def __init__(self, library, options):
        self.library = library
        super().__init__([*PEERS[library], json.dumps(options)])

    def do(self, what, **arguments):
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()

    def freeze(self):
        """Connected, and no longer running."""
        self.process.send_signal(signal.SIGSTOP)

    def send(self, **message):
        """Sends a message; what it was, as the receiver will describe it."""
        self.do("send", **message)
        sent = self.expect("sent")
        return {key: sent[key] for key in ("kind", "size", "sha256")}


class Sidecar(Process):
    """sidebeat with a proxy.yaml of its own."""

    def __init__(self, path, upstream_port, settings):
        self.path, self.upstream_port = path, upstream_port
        self.configure(settings)
        super().__init__([PROGRAM, "run", "-c", path])
        self.address = self.expect("listening")["address"]

    def configure(self, settings):
        """Writes the file anew. JSON is YAML."""
        always = {
            "listen": "127.0.0.1:0",
            "upstream": f"ws://127.0.0.1:{self.upstream_port}",
            "log": {"format": "json"},
            "metrics": "off",
            "admin": "off",
        }
        self.path.write_text(json.dumps({**always, **settings}))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)


class World:
    """What one test runs: a backend, the sidecar in front of it, and clients."""

    def __init__(self, client_library, backend_library, folder):
        self.client_library, self.backend_library, self.folder = client_library, backend_library, folder
        self.running = []

    def _run(self, process):
        self.running.append(process)
        return process

    def backend(self, port=0, **options):
        backend = self._run(Peer(self.backend_library, {"listen": {"port": port}, **options}))
        backend.port = backend.expect("listening")["port"]
        return backend

    def sidecar(self, backend, **settings):
        return self._run(Sidecar(self.folder / "proxy.yaml", backend.port, settings))

    def client(self, sidecar, path="/", **options):
        """A client that has not been waited for."""
        return self._run(Peer(self.client_library, {"connect": f"ws://{sidecar.address}{path}", **options}))

    def connected(self, sidecar, **options):
        client = self.client(sidecar, **options)
        client.opened = client.expect("opened")
        return client

    def three(self, settings=None, client=None, **backend):
        """A client, the sidecar and a backend, connected."""
        backend = self.backend(**backend)
        sidecar = self.sidecar(backend, **settings or {})
        client = self.connected(sidecar, **client or {})
        backend.opened = backend.expect("opened")
        return client, sidecar, backend

    def end(self):
        for process in self.running:
            process.end()


@pytest.fixture(params=PEERS, ids=lambda name: f"client:{name}")
def client_library(request):
    return request.param


@pytest.fixture(params=PEERS, ids=lambda name: f"backend:{name}")
def backend_library(request):
    return request.param


@pytest.fixture
def world(client_library, backend_library, tmp_path):
    world = World(client_library, backend_library, tmp_path)
    yield world
    world.end()
