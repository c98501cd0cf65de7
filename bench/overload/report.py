"""RESULTS.md."""

import os
import platform

from proxies import BODY, CONNECTIONS, FILES, HEAD
from rows import ROWS

COLUMNS = (
    "| attack | proxy | files | after | MiB | cores | new WebSocket | its ping | GET | probe | attackers |\n"
    "|---|---|---:|---:|---:|---:|---|---|---|---|---|\n"
)


def write(results, versions, seconds, took):
    lines = [line for row in ROWS if row.name in results for line in table(row, results[row.name])]
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"""# Overload, side by side

Written by `bench/overload/run` in {took} s: {named}, on {os.cpu_count()} cores with {memory()} GiB, Linux {platform.release()}.

Every proxy may open {FILES} files and take {CONNECTIONS} clients; a request's head has {HEAD} s, and plain HTTP {BODY} s without a
byte. Each attack takes {seconds:g} s on a proxy that has just been started; attackers that are thrown out come back after half a
second. Meanwhile a well-behaved client pings a WebSocket that it has had since before, opens new ones, gets a page, and
a probe asks for `/livez`.

- *files*: the most that one process had open; *after*: what was left six seconds after the attack at most.
- *MiB*: how much memory of its own it grew by; *cores*: how much of a core it took.
- The client's columns: the median and the 99th percentile in ms, and how many of how many got nothing within 3 s.
- *attackers*: what became of their connections.

{COLUMNS}{chr(10).join(lines)}

{verdict(results)}
"""


def table(row, proxies):
    for number, (name, result) in enumerate(proxies.items()):
        client = result["client"]
        cells = [
            row.title if number == 0 else "",
            name,
            result["files"],
            result["files_after"],
            result["memory_mib"],
            result["cpu"],
            *(seen(client[column]) for column in ("new", "established", "get", "probe")),
            ", ".join(f"{count} {what}" for what, count in result["attackers"].items()),
        ]
        yield "| " + " | ".join(map(str, cells)) + " |"


def seen(tries):
    times = "–" if tries["median_ms"] is None else f"{tries['median_ms']:g} / {tries['p99_ms']:g}"
    return f"{times}, **{tries['failed']} of {tries['tries']}**" if tries["failed"] else times


def verdict(results):
    """Where sidebeat is not as good as the better of the two, in what a client sees and in files and memory."""
    missed = []
    for row in ROWS:
        proxies = results.get(row.name, {})
        others = [result for name, result in proxies.items() if name != "sidebeat"]
        if not others or "sidebeat" not in proxies:
            continue
        own = proxies["sidebeat"]
        for column in ("new", "established", "get", "probe"):
            ours, best = own["client"][column], min((one["client"][column] for one in others), key=rank)
            if rank(ours)[0] > rank(best)[0] + 0.01:
                missed.append(f"- {row.title}: {column}: {seen(ours)} beside {seen(best)}")
            elif rank(ours)[0] >= rank(best)[0] - 0.01 and rank(ours)[1] > max(2 * rank(best)[1], rank(best)[1] + 50):
                missed.append(f"- {row.title}: {column}: {seen(ours)} beside {seen(best)}")
        for what, unit, slack in (("files_after", "files after it", 20), ("memory_mib", "MiB", 8)):
            best = min(one[what] for one in others)
            if own[what] > best + slack:
                missed.append(f"- {row.title}: {own[what]} {unit} beside {best}")
    if not missed:
        return "sidebeat is as good as the better of the two in every row: in what a client sees, files and memory."
    return "Not as good as the better of the two (a client's times: twice and 50 ms more):\n\n" + "\n".join(missed)


def rank(tries):
    return tries["failed"] / max(1, tries["tries"]), tries["p99_ms"] or 3000


def memory():
    with open("/proc/meminfo") as lines:
        return round(int(lines.readline().split()[1]) / 1024 / 1024)
