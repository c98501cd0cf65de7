"""As much of RFC 6455 as an attacker, a well-behaved client and a backend need, over asyncio's streams."""

import asyncio
import base64
import hashlib
import os

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode, payload=b"", masked=True, compressed=False):
    first = bytes([0x80 | (0x40 if compressed else 0) | opcode])
    mask = 0x80 if masked else 0
    if len(payload) < 126:
        head = first + bytes([mask | len(payload)])
    elif len(payload) < 65536:
        head = first + bytes([mask | 126]) + len(payload).to_bytes(2, "big")
    else:
        head = first + bytes([mask | 127]) + len(payload).to_bytes(8, "big")
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


async def read_frame(reader):
    """Opcode and payload of a frame."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    key = await reader.readexactly(4) if second & 0x80 else bytes(4)
    payload = await reader.readexactly(length)
    return first & 0x0F, bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


async def read_head(reader):
    """The first line and the headers, names in lower case."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.split(":", 1) for line in head[1:] if ":" in line)
    return head[0], {name.lower(): value.strip() for name, value in headers.items()}


def accept(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def opening(path, deflate=False):
    """A request for a WebSocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    extensions = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: overload.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{extensions}\r\n"
    ).encode()


async def connect(port, path, deflate=False):
    """An open WebSocket, or the status that was answered instead."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(opening(path, deflate))
    try:
        line, _ = await read_head(reader)
    except (asyncio.IncompleteReadError, OSError):
        writer.transport.abort()
        raise
    status = line.split()[1]
    if status != "101":
        writer.transport.abort()
        raise ConnectionError(f"status {status}")
    return reader, writer
