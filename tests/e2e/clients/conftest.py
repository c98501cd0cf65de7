"""A client library, the sidecar with the preset for it, and a server of that library or a script. README.md has the list."""

import dataclasses
import json
import pathlib

import pytest
from processes import Process, World

HERE = pathlib.Path(__file__).resolve().parent
# WebSocket's own pings play no part here.
QUIET = {"check_interval": "100ms", "client": {"ping_interval": "off"}, "upstream": {"keepalive": "off"}}


@dataclasses.dataclass(frozen=True)
class Library:
    """A client library, as one of the programs here runs it, and what it is like."""

    program: str
    preset: str
    options: dict = dataclasses.field(default_factory=dict)
    period: int = 300  # ms between heartbeats
    patience: int = 3000  # ms that the client, or the server, waits for one
    subprotocol: str | None = None
    connected: dict = dataclasses.field(default_factory=dict)  # what it tells of its connection
    answers: bool = True  # whether the client answers the backend's heartbeats
    lost: dict = dataclasses.field(default_factory=dict)  # how it says that heartbeats stay away
    closed: dict = dataclasses.field(default_factory=dict)  # how it says that the sidecar closed it with 1001

    @property
    def enough(self):
        """Heartbeats in a row, for longer than either side would wait for one."""
        return self.patience // self.period + 2


class Program(Process):
    """A client or a backend."""

    def __init__(self, library, **role):
        times = {"period": library.period, "patience": library.patience}
        options = {**times, **library.options, **role}
        super().__init__(["node", HERE / library.program, json.dumps(options)])


class Trio(World):
    """A backend, the sidecar in front of it, and clients, all of one library."""

    def three(self, library, preset=None, client=None):
        """A client, the sidecar and a backend, connected; `client` is for `heartbeat.client`."""
        backend = self.run(Program(library))
        backend.port = backend.expect("listening")["port"]
        sidecar = self.sidecar(backend, heartbeat=self.heartbeat(preset or library.preset, client))
        client = self.run(Program(library, connect=f"ws://{sidecar.address}"))
        client.opened = client.expect("connected")
        backend.opened = backend.expect("opened")
        return client, sidecar, backend

    @staticmethod
    def heartbeat(preset, client=None):
        app = [{"preset": preset}] if preset else []
        return {**QUIET, "client": {**QUIET["client"], **(client or {})}, "app": app}


@pytest.fixture
def trio(tmp_path):
    trio = Trio(tmp_path)
    yield trio
    trio.end()
