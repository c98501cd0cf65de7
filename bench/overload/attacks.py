"""The attacks, one a run: what came of its connections is printed as JSON.

    attacks.py NAME PORT MONITORING_PORT ADMIN_PORT SECONDS

Each is bounded in connections and time, and goes to loopback only.
"""

import asyncio
import collections
import json
import socket
import struct
import sys
import time
import zlib

from websocket import CLOSE, PING, TEXT, connect, frame, opening, read_frame, read_head

RATE = 2_000_000  # bytes a second of each flooder
AGAIN = 0.5  # seconds until an attacker that was thrown out comes back


class Attack:
    def __init__(self, port, monitoring, admin, seconds):
        self.port, self.monitoring, self.admin = port, monitoring, admin
        self.until = time.monotonic() + seconds
        self.outcomes = collections.Counter()

    def left(self):
        return max(0.01, self.until - time.monotonic())

    async def hold(self, count, act, port=None, again=True):
        """So many connections that each do `act`, and come back when they are thrown out."""

        async def one(index):
            await asyncio.sleep(index / 2000)
            while time.monotonic() < self.until:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port or self.port)
                except OSError:
                    self.outcomes["not let in"] += 1
                    await asyncio.sleep(AGAIN)
                    continue
                try:
                    await asyncio.wait_for(act(reader, writer), self.left())
                    self.outcomes["ended"] += 1
                except asyncio.TimeoutError:
                    self.outcomes["still there at the end"] += 1
                except (OSError, asyncio.IncompleteReadError):
                    self.outcomes["thrown out"] += 1
                finally:
                    writer.transport.abort()
                if not again:
                    return
                await asyncio.sleep(min(AGAIN, self.left()))

        await asyncio.gather(*(one(index) for index in range(count)))

    async def answered(self, reader):
        """Waits for an answer, and then for the end of the connection."""
        line, _ = await read_head(reader)
        self.outcomes[f"answered {line.split()[1]}"] += 1
        while await reader.read(65536):
            pass

    async def silent(self):
        async def act(reader, writer):
            await reader.read()

        await self.hold(1000, act)

    async def slow_heads(self):
        async def act(reader, writer):
            writer.write(b"GET / HTTP/1.1\r\nHost: overload.test\r\n")
            answer = asyncio.ensure_future(self.answered(reader))
            try:
                while not answer.done():
                    writer.write(b"X: y\r\n")
                    await asyncio.wait([answer], timeout=0.5)
            finally:
                answer.cancel()
            await answer

        await self.hold(500, act)

    async def slow_bodies(self):
        async def act(reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: overload.test\r\nContent-Length: 100000\r\n\r\nbegun")
            await self.answered(reader)

        await self.hold(300, act)

    async def unanswered(self):
        async def act(reader, writer):
            writer.write(b"GET /never HTTP/1.1\r\nHost: overload.test\r\n\r\n")
            await self.answered(reader)

        await self.hold(300, act)

    async def departed(self, reset):
        async def act(reader, writer):
            writer.write(b"GET /never HTTP/1.1\r\nHost: overload.test\r\n\r\nG")
            await writer.drain()
            await asyncio.sleep(0.2)
            if reset:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

        await self.hold(300, act, again=False)
        await asyncio.sleep(self.left())

    async def departed_fin(self):
        await self.departed(False)

    async def departed_rst(self):
        await self.departed(True)

    async def unread(self):
        async def act(reader, writer):
            writer.transport.pause_reading()
            writer.write(b"GET /endless HTTP/1.1\r\nHost: overload.test\r\n\r\n")
            while not writer.transport.is_closing():
                await asyncio.sleep(0.2)

        await self.hold(100, act)

    async def monitoring_held(self):
        async def act(reader, writer):
            await reader.read()

        await asyncio.gather(*(self.hold(200, act, port) for port in (self.monitoring, self.admin) if port))

    async def flood(self, chunk, deflate=False, count=4):
        """Frames as fast as is believable for one client, without reading what comes back."""

        async def one():
            while time.monotonic() < self.until:
                try:
                    reader, writer = await asyncio.wait_for(connect(self.port, "/ws/sink", deflate), self.left())
                except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                    self.outcomes["not let in"] += 1
                    await asyncio.sleep(min(AGAIN, self.left()))
                    continue
                reading = asyncio.ensure_future(self.closed(reader))
                try:
                    while time.monotonic() < self.until and not reading.done():
                        writer.write(chunk)
                        await asyncio.wait_for(writer.drain(), self.left())
                        await asyncio.sleep(len(chunk) / RATE)
                except (OSError, asyncio.TimeoutError):
                    self.outcomes["thrown out" if self.left() > 0.01 else "still there at the end"] += 1
                else:
                    self.outcomes["still there at the end"] += not reading.done()
                reading.cancel()
                writer.transport.abort()
                await asyncio.sleep(min(AGAIN, self.left()))

        await asyncio.gather(*(one() for _ in range(count)))

    async def closed(self, reader):
        """Reads until a Close frame, whose code is an outcome."""
        try:
            while True:
                opcode, payload = await read_frame(reader)
                if opcode == CLOSE:
                    self.outcomes[f"closed {int.from_bytes(payload[:2], 'big')}"] += 1
                    return
        except (OSError, asyncio.IncompleteReadError):
            self.outcomes["cut"] += 1

    async def inflated(self):
        """Each frame becomes almost 16 KiB, and is no heartbeat in the end."""
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        plain = b'{"type":"' + b" " * 16_000 + b'"}'
        payload = (deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
        await self.flood(frame(TEXT, payload, compressed=True) * 1000, deflate=True)

    async def tiny(self):
        await self.flood(frame(TEXT, b"x") * 10_000)

    async def pings(self):
        await self.flood(frame(PING, b"") * 10_000)

    async def huge_heads(self):
        head = b"GET / HTTP/1.1\r\nHost: overload.test\r\nX: " + b"x" * 60_000

        async def act(reader, writer):
            writer.write(head)
            await self.answered(reader)

        await self.hold(300, act)

    async def openings(self, path):
        async def act(reader, writer):
            writer.write(opening(path))
            await self.answered(reader)

        await self.hold(200, act)

    async def dead_backend(self):
        await self.openings("/dead")

    async def hung_backend(self):
        await self.openings("/hung")


async def main(name, *arguments):
    port, monitoring, admin = map(int, arguments[:3])
    attack = Attack(port, monitoring, admin, float(arguments[3]))
    await getattr(attack, name)()
    print(json.dumps(dict(sorted(attack.outcomes.items()))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
