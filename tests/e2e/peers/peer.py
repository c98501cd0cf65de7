"""A WebSocket client or backend on the library `websockets`, led by lines of JSON. README.md has the lines.

python peer.py '{"listen": {…}}' or python peer.py '{"connect": "ws://…", …}'
"""

import asyncio
import hashlib
import http
import json
import random
import sys

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory
from websockets.frames import Opcode

EXTENSIONS = "Sec-WebSocket-Extensions"
WORDS = "heartbeat sidecar żółw 心跳 🫀 upstream client ".split(" ")


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def to_bytes(message):
    return message.encode() if isinstance(message, str) else message


def kind(message):
    return "text" if isinstance(message, str) else "binary"


def describe(message):
    data = to_bytes(message)
    told = {"kind": kind(message), "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return {**told, "text": message} if isinstance(message, str) and len(data) <= 200 else told


def content(command):
    """The message that a command asks for: given, or made up, about `size` bytes."""
    if "text" in command:
        return command["text"]
    size = command["size"]
    if command["kind"] == "binary":
        return random.randbytes(size)
    return " ".join(random.choices(WORDS, k=size // 9 + 1))[:size] if size else ""


def cut(message, pieces):
    """The message in so many fragments, some of them empty by chance."""
    places = sorted(random.randint(0, len(message)) for _ in range(pieces - 1))
    return [message[start:end] for start, end in zip([0, *places], [*places, len(message)])]


class Observing:
    """Tells the pings and pongs that come, which the library keeps to itself."""

    def process_event(self, event):
        super().process_event(event)
        if getattr(event, "opcode", None) in (Opcode.PING, Opcode.PONG):
            tell(event.opcode.name.lower(), payload=bytes(event.data).decode("latin-1"))


class Client(Observing, ClientConnection):
    pass


class Server(Observing, ServerConnection):
    pass


class Flow:
    """Many messages in both directions at once, with pings between them; what was sent and what came, each as one hash."""

    PING_EVERY = 100  # messages

    def __init__(self, ws, count):
        self.ws, self.count = ws, count
        self.came, self.left = hashlib.sha256(), hashlib.sha256()
        self.still_to_come = count
        self.all_came = asyncio.Event()

    @staticmethod
    def add(digest, message):
        data = to_bytes(message)
        digest.update(f"{kind(message)} {len(data)} ".encode() + data)

    def take(self, message):
        self.add(self.came, message)
        self.still_to_come -= 1
        if self.still_to_come == 0:
            self.all_came.set()

    async def run(self):
        for sent in range(self.count):
            if sent % self.PING_EVERY == 0:
                await self.ws.ping()
            size = int(65536 * random.random() ** 12)
            message = content({"kind": random.choice(["text", "binary"]), "size": size})
            self.add(self.left, message)
            pieces = random.choice([1, 1, 2, 5])
            await self.ws.send(message if pieces == 1 else cut(message, pieces))
            await asyncio.sleep(0)  # `send` gives nobody else a turn while there is room
        await self.all_came.wait()
        tell("flowed", sent=self.left.hexdigest(), received=self.came.hexdigest())


class Peer:
    def __init__(self, options):
        self.options = options
        self.connections = []

    async def talk(self, ws):
        """Everything that a connection brings until it ends."""
        self.connections.append(ws)
        request, response = ws.request.headers, ws.response.headers
        tell(
            "opened",
            path=ws.request.path,
            subprotocol=ws.subprotocol,
            offer=", ".join(request.get_all(EXTENSIONS)),
            answer=", ".join(response.get_all(EXTENSIONS)),
        )
        flow = Flow(ws, self.options["flow"]) if "flow" in self.options else None
        flowing = asyncio.create_task(flow.run()) if flow else None
        try:
            async for message in ws:
                if flow:
                    flow.take(message)
                    continue
                tell("message", **describe(message))
                if self.options.get("echo"):
                    await ws.send(message)
        except websockets.ConnectionClosedError:
            pass
        if flowing:
            flowing.cancel()
        await ws.wait_closed()
        tell("closed", code=ws.close_code, reason=ws.close_reason)

    async def obey(self, command):
        ws = self.connections[command.get("connection", -1)]
        match command["do"]:
            case "send":
                message = content(command)
                pieces = command.get("fragments", 1)
                await ws.send(message if pieces == 1 else cut(message, pieces))
                tell("sent", **describe(message))
            case "ping":
                await ws.ping(command["payload"])
            case "close" if "code" in command:
                await ws.close(command["code"], command["reason"])
            case "close":  # the library's own `close` always gives a code
                async with ws.send_context():
                    ws.protocol.send_close()
            case "raw":
                ws.transport.write(bytes.fromhex(command["hex"]))
                tell("written")

    async def read_commands(self):
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        tasks = set()
        while line := await lines.readline():
            task = asyncio.create_task(self.obey(json.loads(line)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    def common(self):
        return {
            "max_size": None,
            "compression": None,
            "ping_interval": None,
            "ping_timeout": None,
            "subprotocols": self.options.get("subprotocols"),
        }

    def choose_subprotocol(self, _, offered):
        return next((name for name in self.options.get("subprotocols") or [] if name in offered), None)

    async def listen(self):
        def answer_http(ws, request):
            if self.options.get("deaf"):
                offer = ", ".join(request.headers.get_all(EXTENSIONS))
                del request.headers[EXTENSIONS]
                request.headers[EXTENSIONS] = offer.replace("; client_no_context_takeover", "")
            if request.path == "/plain":
                return ws.respond(http.HTTPStatus.OK, "plain HTTP\n")
            if request.path == "/forbidden":
                return ws.respond(http.HTTPStatus.FORBIDDEN, "not for you\n")
            return None

        deflate = self.options.get("deflate")
        server = await serve(
            self.talk,
            "127.0.0.1",
            self.options["listen"].get("port", 0),
            process_request=answer_http,
            select_subprotocol=self.choose_subprotocol,
            create_connection=Server,
            extensions=None if deflate is None else [ServerPerMessageDeflateFactory(**deflate)],
            **self.common(),
        )
        tell("listening", port=server.sockets[0].getsockname()[1])
        await self.read_commands()

    async def connect(self):
        offers = [ClientPerMessageDeflateFactory(**offer) for offer in self.options.get("offers", [])]
        url = self.options["connect"]
        try:
            ws = await connect(url, extensions=offers, create_connection=Client, proxy=None, **self.common())
        except websockets.InvalidStatus as refusal:
            body = refusal.response.body or b""
            tell("refused", status=refusal.response.status_code, body=body.decode())
            return
        await asyncio.gather(self.talk(ws), self.read_commands())


def main():
    peer = Peer(json.loads(sys.argv[1]))
    asyncio.run(peer.listen() if "listen" in peer.options else peer.connect())


if __name__ == "__main__":
    main()
