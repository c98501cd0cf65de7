"""A well-behaved client during an attack: what it waits for, printed as JSON.

    client.py PORT MONITORING_PORT SECONDS
"""

import asyncio
import json
import sys
import time

from websocket import CLOSE, PING, PONG, connect, frame, read_frame, read_head

PATIENCE = 3  # seconds: a page that takes longer is reloaded by its user
FAILURES = (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError)


class Tries:
    """How long each took, and how many failed."""

    def __init__(self):
        self.seconds, self.failures = [], []

    async def one(self, attempt):
        began = time.monotonic()
        try:
            await asyncio.wait_for(attempt(), PATIENCE)
        except FAILURES as error:
            self.failures.append(str(error) or type(error).__name__)
            return
        self.seconds.append(time.monotonic() - began)

    def summary(self):
        ordered = sorted(self.seconds)
        return {
            "tries": len(self.seconds) + len(self.failures),
            "failed": len(self.failures),
            "why": sorted(set(self.failures)),
            "median_ms": round(1000 * ordered[len(ordered) // 2], 1) if ordered else None,
            "p99_ms": round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1) if ordered else None,
        }


async def get(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: overload.test\r\nConnection: close\r\n\r\n".encode())
        line, _ = await read_head(reader)
        if line.split()[1] != "200":
            raise ConnectionError(f"status {line.split()[1]}")
    finally:
        writer.transport.abort()


async def open_and_close(port):
    reader, writer = await connect(port, "/ws/echo")
    writer.write(frame(CLOSE, b"\x03\xe8"))
    try:
        while (await read_frame(reader))[0] != CLOSE:
            pass
    finally:
        writer.transport.abort()


class Established:
    """A WebSocket from before the attack, which is pinged."""

    async def open(self, port):
        self.reader, self.writer = await connect(port, "/ws/echo")
        self.sent = 0

    async def ping(self):
        self.sent += 1
        payload = self.sent.to_bytes(4, "big")
        self.writer.write(frame(PING, payload))
        while True:
            opcode, got = await read_frame(self.reader)
            if opcode == PING:
                self.writer.write(frame(PONG, got))
            elif (opcode, got) == (PONG, payload):
                return


async def repeat(until, interval, tries, attempt):
    while time.monotonic() < until:
        await asyncio.gather(tries.one(attempt), asyncio.sleep(interval))


async def main(port, monitoring, seconds):
    established = Established()
    await established.open(port)
    print("ready", flush=True)
    sys.stdin.readline()
    until = time.monotonic() + seconds
    tries = {name: Tries() for name in ("established", "new", "get", "probe")}
    await asyncio.gather(
        repeat(until, 0.2, tries["established"], established.ping),
        repeat(until, 0.1, tries["new"], lambda: open_and_close(port)),
        repeat(until, 0.1, tries["get"], lambda: get(port, "/")),
        repeat(until, 0.1, tries["probe"], lambda: get(monitoring, "/livez")),
    )
    print(json.dumps({name: one.summary() for name, one in tries.items()}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
