"""What stands behind the proxies: a WebSocket server that echoes or swallows, and a little plain HTTP.

    backend.py PORT HUNG_PORT

The second port accepts connections and never says anything.
"""

import asyncio
import sys

from websocket import CLOSE, PING, PONG, accept, frame, read_frame, read_head

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def serve(reader, writer):
    try:
        while True:
            line, headers = await read_head(reader)
            path = line.split()[1]
            if headers.get("upgrade", "").lower() == "websocket":
                return await websocket(reader, writer, path, headers)
            if not await answer(reader, writer, path, headers):
                return
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        pass
    finally:
        writer.transport.abort()


async def answer(reader, writer, path, headers):
    """Answers a plain request; False: the connection has ended."""
    await reader.readexactly(int(headers.get("content-length", 0)))
    if path == "/never":
        await reader.read()
        return False
    if path == "/endless":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(15_000):
            writer.write(bytes(65536))
            await writer.drain()
        return False
    writer.write(PAGE)
    await writer.drain()
    return True


async def websocket(reader, writer, path, headers):
    extensions = ""
    if "permessage-deflate" in headers.get("sec-websocket-extensions", ""):
        extensions = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n"
    writer.write(
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"{extensions}Sec-WebSocket-Accept: {accept(headers['sec-websocket-key'])}\r\n\r\n"
        ).encode()
    )
    if path == "/ws/sink":
        while await reader.read(262_144):
            pass
        return
    while True:
        opcode, payload = await read_frame(reader)
        writer.write(frame(PONG if opcode == PING else opcode, payload, masked=False))
        await writer.drain()
        if opcode == CLOSE:
            return


async def hang(reader, writer):
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass
    writer.close()


async def main(port, hung_port):
    servers = [
        await asyncio.start_server(serve, "127.0.0.1", port, backlog=4096),
        await asyncio.start_server(hang, "127.0.0.1", hung_port, backlog=4096),
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
