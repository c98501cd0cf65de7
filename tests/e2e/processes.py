"""Processes that talk in lines of JSON, and the sidecar by its log: what tests/e2e/peers and tests/e2e/clients have in common."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("SIDEBEAT", "target/debug/sidebeat")
PATIENCE = 20  # seconds for anything to happen that should happen at once


class Process:
    """A process whose stdout is JSON, one object a line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events, self.seen = queue.Queue(), []
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

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
                assert told == {**told, **fields}, f"{told}, without {fields}"
                return told

    def told(self, event):
        """How often an event of that name was passed by or taken so far."""
        return sum(told["event"] == event for told in self.seen)

    def do(self, what, **arguments):
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()

    def freeze(self):
        """Connected, and no longer running."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.stdin.close()
        self.kill()
        self.reader.join()


class Sidecar(Process):
    """sidebeat with a proxy.yaml of its own."""

    def __init__(self, path, upstream_port, settings):
        self.path, self.upstream_port = path, upstream_port
        self.configure(settings)
        super().__init__([PROGRAM, "run", "-c", path])

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
    """What one test runs."""

    def __init__(self, folder):
        self.folder, self.running = folder, []

    def run(self, process):
        self.running.append(process)
        return process

    def sidecar(self, backend, **settings):
        sidecar = self.run(Sidecar(self.folder / "proxy.yaml", backend.port, settings))
        sidecar.address = sidecar.expect("listening")["address"]
        return sidecar

    def end(self):
        for process in self.running:
            process.end()
