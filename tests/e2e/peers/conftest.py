"""A client library, the sidecar and a backend library, in all pairs. README.md has an overview."""

import json
import pathlib
import sys

import pytest
from processes import Process, World

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {"websockets": [sys.executable, HERE / "peer.py"], "ws": ["node", HERE / "peer.mjs"]}


class Peer(Process):
    """A client or a backend."""

    def __init__(self, library, options):
        self.library = library
        super().__init__([*PEERS[library], json.dumps(options)])

    def send(self, **message):
        """Sends a message; what it was, as the receiver will describe it."""
        self.do("send", **message)
        sent = self.expect("sent")
        return {key: sent[key] for key in ("kind", "size", "sha256")}


class Pair(World):
    """A backend, the sidecar in front of it, and clients."""

    def __init__(self, client_library, backend_library, folder):
        super().__init__(folder)
        self.client_library, self.backend_library = client_library, backend_library

    def backend(self, port=0, **options):
        backend = self.run(Peer(self.backend_library, {"listen": {"port": port}, **options}))
        backend.port = backend.expect("listening")["port"]
        return backend

    def client(self, sidecar, path="/", **options):
        """A client that has not been waited for."""
        return self.run(Peer(self.client_library, {"connect": f"ws://{sidecar.address}{path}", **options}))

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


@pytest.fixture(params=PEERS, ids=lambda name: f"client:{name}")
def client_library(request):
    return request.param


@pytest.fixture(params=PEERS, ids=lambda name: f"backend:{name}")
def backend_library(request):
    return request.param


@pytest.fixture
def world(client_library, backend_library, tmp_path):
    world = Pair(client_library, backend_library, tmp_path)
    yield world
    world.end()
