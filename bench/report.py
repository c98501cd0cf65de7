"""RESULTS.md out of what was measured."""

import datetime
import os
import platform
from pathlib import Path
from statistics import median

from targets import judged

NAMES = {
    "sidebeat": "sidebeat",
    "blind": "blind relay",
    "haproxy": "HAProxy",
    "nginx": "nginx",
    "caddy": "Caddy",
    "envoy": "Envoy",
    "obvious": "tokio-tungstenite",
}

INTRODUCTION = """\
# Results

Written by `bench/run` on {date}; it took {minutes:.0f} minutes.

- **Machine**: {machine}. Load, proxy and backend share it and talk over loopback.
- **Versions**: {versions}.
- **Peers**: *blind relay* copies bytes between two sockets on tokio and looks at none of them: what a proxy built like
  this one cannot do without. *tokio-tungstenite* is the obvious WebSocket proxy: that crate on both sides, split and
  forwarded message by message. The others relay bytes after the handshake; only sidebeat and the obvious one know of
  frames. Each has two workers and logs nothing; sidebeat's heartbeats are on, as they are by default.
- **Method**: {rounds} rounds over all rows and proxies, {seconds:g} s each, medians of the rounds; memory,
  idle connections and growth once, on fresh processes. CPU and memory (PSS) are those of the proxy's process tree, read within
  the load.
"""

COSTS = """\
## Cost

{table}

A message is one echo: there and back. *Spread* is the widest distance between two rounds of one proxy, as a share of
its median. Memory per connection is what the proxy's own processes take, both legs together; the kernel's socket
buffers come on top, the same for all. Idle clients ping every {ping:g} s; sidebeat answers these itself and also pings
clients every 25 s and the backend every 20 s, which no peer does. Fixed rate: {rate:,} messages a second over
{rate_conns} connections, latency from the moment at which each was to be sent; without a proxy it is {direct}.
The burst goes from the backend to one client that reads {burst_read} MiB a second.
"""

TARGETS = """\
## Targets

{table}

A target that names a peer is a multiple of that peer's cost.
"""

RATIOS = """\
## sidebeat's cost as a multiple of each peer's

{table}

Below 1 sidebeat is cheaper. Handshakes are compared by CPU for each.
"""

THROUGHPUT = """\
## Messages per second

{table}

In the closed loop, with load and backend on the same two cores: what the whole chain reaches, not what a proxy could.
"""

GROWTH = """\
## Cost as it grows

{table}

CPU in µs for each, at the same number a second over all connections ({rate:,} messages; {pings} pings): what is left is
what more connections cost each other. The blind relay shows how much of that is the kernel's and the caches'.
"""

SESSIONS = """\
## The core alone

{sessions:,} sessions lived through {seconds:,} virtual seconds of default heartbeats: {events:,} events, {pings:,} pings
answered, {ns:.0f} ns of a core per event (timeout, ping written, pong; the test's own timer wheel included), {bytes:.0f}
bytes of memory per session (`Session` itself: {size}).
"""


def rows(results):
    """What the tables show: title, row, the value in it, and whether a ratio compares its inverse."""
    scale = results["scale"]
    for index, (conns, window, size) in enumerate(results["loops"]):
        yield f"CPU µs per message, {loop(conns, window, size)}", f"messages {index}", "cpu_us_per_message", False
    yield "handshakes (open, close) per CPU-second", "handshakes", "handshakes_per_cpu_second", True
    for key, percent in (("p50_us", "50"), ("p99_us", "99"), ("p999_us", "99.9")):
        yield f"latency at a fixed rate, {percent} %, µs", "latency", key, False
    for index, conns in enumerate(scale["idle"]):
        yield f"KiB per idle connection, {conns:,}", "idle", f"level {index}", False
    yield f"CPU ms a second, {scale['idle'][-1]:,} idle with pings", "idle", "cpu_ms_per_second", False
    yield f"peak KiB, {scale['burst']} MiB to a slow reader", "burst", "peak_kib", False


def loop(conns, window, size):
    unit = f"{size} B" if size < 1024 else f"{size >> 10} KiB" if size < 1 << 20 else f"{size >> 20} MiB"
    return f"{conns} × {window} × {unit}"


def values(results, row, name, key):
    """What the rounds gave; a round that failed gives nothing."""
    found = []
    for value in results["rows"].get(row, {}).get(name, []):
        if key == "last level" and value.get("levels"):
            found.append(value["levels"][-1]["kib_per_conn"])
        elif key.startswith("level ") and "levels" in value:
            found.append(value["levels"][int(key.split()[1])]["kib_per_conn"])
        elif key in value:
            found.append(value[key])
    return found


def cell(results, row, name, key):
    if name in results["missing"]:
        return "not installed"
    found = values(results, row, name, key)
    if found:
        return number(median(found))
    return "failed" if results["rows"].get(row, {}).get(name) else "–"


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def proxies(results):
    present = [*results["versions"], *results["missing"]]
    return [name for name in NAMES if name in present]


def table(head, lines):
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *lines])


def measured(results):
    return [entry for entry in rows(results) if entry[1] in results["rows"]]


def costs(results):
    names = proxies(results)
    lines = []
    for title, row, key, _ in measured(results):
        spreads = [
            (max(found) - min(found)) / median(found)
            for found in (values(results, row, name, key) for name in names)
            if len(found) > 1 and median(found)
        ]
        spread = f"{max(spreads):.0%}" if spreads else "–"
        lines.append([title, *(cell(results, row, name, key) for name in names), spread])
    return table(["", *(NAMES[name] for name in names), "spread"], lines)


def ratios(results):
    names = [name for name in proxies(results) if name != "sidebeat"]
    lines = []
    for title, row, key, inverse in measured(results):
        ours = values(results, row, "sidebeat", key)
        line = [title]
        for name in names:
            theirs = values(results, row, name, key)
            if not ours or not theirs or not median(theirs) or not median(ours):
                line.append("–")
                continue
            ratio = median(ours) / median(theirs)
            line.append(f"{1 / ratio if inverse else ratio:.2f}")
        lines.append(line)
    return table(["", *(NAMES[name] for name in names)], lines)


def targets(results):
    titles = {(row, key): title for title, row, key, _ in rows(results)}
    last = f"level {len(results['scale']['idle']) - 1}"
    lines = []
    for (row, key, peer, most), came, met in judged(lambda *of: values(results, *of)):
        title = titles[row, last if key == "last level" else key]
        lines.append([title, NAMES[peer] if peer else "–", f"{most:g}", number(came), "yes" if met else "**no**"])
    return table(["", "beside", "at most", "measured", "met"], lines)


def throughput(results):
    names = proxies(results)
    lines = [
        [loop(*shape), *(cell(results, f"messages {index}", name, "messages_per_second") for name in names)]
        for index, shape in enumerate(results["loops"])
    ]
    return table(["", *(NAMES[name] for name in names)], lines)


def growth(results):
    levels = results["scale"]["growth"]
    lines = []
    for title, kind, name, count in (
        ("a message, sidebeat", "messages", "sidebeat", None),
        ("a message, blind relay", "messages", "blind", None),
        ("a client's ping answered, sidebeat", "pings", "sidebeat", "pings_per_second"),
        ("a client's ping and the backend's pong, blind relay", "pings", "blind", "pings_per_second"),
        ("a ping of its own and its pong, sidebeat", "own pings", "sidebeat", "proxy_pings_per_second"),
    ):
        cells = []
        for conns in levels:
            found = results["rows"].get(f"growth {kind} {conns}", {}).get(name, [{}])[0]
            cells.append(growth_cell(found, count, 2 if kind == "own pings" else 1))
        if any(cell != "–" for cell in cells):
            lines.append([title, *cells])
    return table(["connections", *(f"{conns:,}" for conns in levels)], lines)


def growth_cell(found, count, legs):
    """The clients see one leg's pings; the other leg gets as many."""
    if "failed" in found:
        return "failed"
    if count is None:
        return number(found["cpu_us_per_message"]) if found else "–"
    if not found.get(count):
        return "–"
    return number(found["cpu_ms_per_second"] * 1000 / (found[count] * legs))


def write(results):
    scale, measured_rows = results["scale"], results["rows"]
    versions = [f"{NAMES[name]} {version}" for name, version in results["versions"].items()]
    missing = [f"{NAMES[name]} could not be installed ({why})" for name, why in results["missing"].items()]
    parts = [
        INTRODUCTION.format(
            date=datetime.date.today().isoformat(),
            minutes=results["took_seconds"] / 60,
            machine=results["machine"],
            versions=", ".join([*versions, *missing]),
            **results["options"],
        )
        + "".join(f"- {note}\n" for note in scale["notes"])
    ]
    direct = [values(results, "latency", "direct", key) for key in ("p50_us", "p99_us", "p999_us")]
    direct = " / ".join(number(median(found)) for found in direct if found) + " µs" if any(direct) else "not measured"
    parts.append(COSTS.format(table=costs(results), direct=direct, **scale))
    parts.append(RATIOS.format(table=ratios(results)))
    parts.append(TARGETS.format(table=targets(results)))
    parts.append((Path(__file__).parent / "profile.md").read_text())
    if "messages 0" in measured_rows:
        parts.append(THROUGHPUT.format(table=throughput(results)))
    if any(row.startswith("growth") for row in measured_rows):
        parts.append(GROWTH.format(table=growth(results), **scale))
    if "sessions" in measured_rows:
        core = measured_rows["sessions"]["sidebeat"][0]
        parts.append(
            SESSIONS.format(
                sessions=core["sessions"],
                seconds=core["virtual_seconds"],
                events=core["events"],
                pings=core["pings"],
                ns=core["ns_per_event"],
                bytes=core["bytes_per_session"],
                size=core["size_of_session"],
            )
        )
    failures = sorted(
        {
            f"- {row}, {NAMES.get(name, name)}: {value['failed']}"
            for row, found in measured_rows.items()
            for name, rounds in found.items()
            for value in rounds
            if "failed" in value
        }
    )
    if failures:
        parts.append("## What failed\n\n" + "\n".join(failures) + "\n")
    return "\n".join(parts)


def require_numbers(results):
    """For the smoke test: every row of every proxy gave a number, whatever it is."""
    text = write(results)
    if "failed" in text or "not installed" in text:
        raise SystemExit("a row gave no number")
    if results["missing"] or not results["rows"]:
        raise SystemExit("nothing was measured")


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / (1 << 20)
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    cpu = models[0] if models else platform.machine()
    return f"{os.cpu_count()} CPUs ({cpu}), {memory:.0f} GiB, {system}, Linux {platform.release()}"
