"""Thousands of WebSockets in one process, on raw sockets: clients that open one and are silent, or their backend.

python crowd.py '{"listen": true}' or python crowd.py '{"connect": [host, port], "count": N, "path": "/crowd"}'

Tells one JSON object a line: `listening` with `port`, `opened` when all are open.
"""

import asyncio
import base64
import hashlib
import json
import resource
import sys

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
AT_A_TIME = 100


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class Backend(asyncio.Protocol):
    """Answers the opening handshake; after that everything is ignored."""

    def connection_made(self, transport):
        self.transport, self.head = transport, b""

    def data_received(self, data):
        if self.head is None:
            return
        self.head += data
        if b"\r\n\r\n" not in self.head:
            return
        headers = dict(line.split(b":", 1) for line in self.head.lower().split(b"\r\n")[1:] if b":" in line)
        at = self.head.lower().index(b"sec-websocket-key:")
        key = self.head[at:].split(b"\r\n", 1)[0].split(b":", 1)[1].strip()
        assert headers[b"upgrade"].strip() == b"websocket"
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.head = None
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )


async def open_one(host, port, path, places):
    async with places:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: crowd.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head, head
        return reader, writer


async def main(options):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.get("listen"):
        server = await asyncio.get_running_loop().create_server(Backend, "127.0.0.1", 0, backlog=1024)
        tell("listening", port=server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()
    places = asyncio.Semaphore(AT_A_TIME)
    each = (open_one(*options["connect"], f"{options['path']}/{nth}", places) for nth in range(options["count"]))
    held = await asyncio.gather(*each)
    tell("opened", count=len(held))
    await asyncio.Event().wait()


asyncio.run(main(json.loads(sys.argv[1])))
