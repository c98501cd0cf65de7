"""What is tried, and what must hold of sidebeat meanwhile."""

import os
import signal
import time
from dataclasses import dataclass

from proxies import FILES

ALIASES = "x: &a [" + ",".join(["y"] * 50_000) + "]\nz: [" + ",".join(["*a"] * 50_000) + "]\n"
HOSTILE = [
    ("a long scalar", "listen: '" + "x" * 500_000 + "'\n"),
    ("aliases of a long list", ALIASES),
    ("lists in lists", "listen: " + "[" * 117 * 1024 + "\n"),
    ("not YAML", "\x00\x01\x02" * 10_000),
]


def reload(proxy, seconds):
    """Hostile files in the place of the good one, one after the other."""
    began = time.monotonic()
    for number, (_, text) in enumerate(HOSTILE):
        swapped = proxy.config.with_suffix(".new")
        swapped.write_text(text)
        os.replace(swapped, proxy.config)
        time.sleep(max(0, (number + 1) * seconds / len(HOSTILE) - (time.monotonic() - began)))


@dataclass
class Row:
    name: str
    title: str
    memory_mib: int = 64  # more than that it may not grow
    recovery: float = 6  # seconds within which files are given back after the attack
    outcome: tuple = ()  # one of these must have happened to attackers
    reload: bool = False

    def problems(self, result):
        """What is wrong, in bounds that a loaded machine keeps."""
        client = result["client"]
        for name, what in client.items():
            # One of many may be late where both cores belong to others.
            if what["failed"] * 10 > what["tries"]:
                yield f"{name}: {what['failed']} of {what['tries']} failed: {what['why']}"
        if client["established"]["failed"]:
            yield f"the connection that was there before: {client['established']}"
        if client["probe"]["failed"] > 1:
            yield f"probes: {client['probe']}"
        if not result["alive"] or result["said"]:
            yield f"it ended, or panicked: {result['said']}"
        if result["files"] >= FILES:
            yield f"all {FILES} files are open"
        if result["files_after"] > 60:
            yield f"{result['files_after']} files are open {self.recovery} s after the attack"
        if result["memory_mib"] > self.memory_mib:
            yield f"it grew by {result['memory_mib']} MiB, more than {self.memory_mib}"
        if self.outcome and not any(result["attackers"].get(one) for one in self.outcome):
            yield f"none of {self.outcome} happened to attackers, but {result['attackers']}"


ROWS = [
    Row("silent", "1,000 connections that say nothing"),
    Row("slow_heads", "500 heads, a line every half second"),
    Row("slow_bodies", "300 POSTs whose bodies stop"),
    Row("unanswered", "300 GETs that the backend does not answer"),
    Row("departed_fin", "300 GETs and a byte behind them, then FIN"),
    Row("departed_rst", "300 GETs and a byte behind them, then RST"),
    Row("unread", "100 large answers that nobody reads"),
    Row("monitoring_held", "200 idle connections to each monitoring port"),
    Row("huge_heads", "300 heads of 60 KB without an end"),
    Row("inflated", "4 floods of small compressed messages that become 16 KB each"),
    Row("tiny", "4 floods of messages of one byte"),
    Row("pings", "4 floods of pings", outcome=("closed 1008", "cut")),
    Row("dead_backend", "200 openings at a time for a backend that is not there"),
    Row("hung_backend", "200 openings at a time for a backend that hangs"),
    Row("reload", "hostile files in place of the configuration", memory_mib=256, reload=True),
]
