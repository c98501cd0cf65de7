// A WebSocket client or backend on the library `ws`, led by lines of JSON. README.md has the lines.
//
// node peer.mjs '{"listen": {…}}' or node peer.mjs '{"connect": "ws://…", …}'

import { createHash, randomBytes, randomInt } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { WebSocket, WebSocketServer } from "ws";

const EXTENSIONS = "sec-websocket-extensions";
// This library ends a connection that has 60 pings to answer and cannot write, which a test with a ping every 10 ms is.
const UNLIMITED = { maxPayload: 0, maxPendingAutoPongs: 0 };
const WORDS = "heartbeat sidecar żółw 心跳 🫀 upstream client ".split(" ");
const options = JSON.parse(process.argv[2]);
const connections = [];

function tell(event, fields = {}) {
  process.stdout.write(JSON.stringify({ event, ...fields }) + "\n");
}

function describe(data, isBinary) {
  const sha256 = createHash("sha256").update(data).digest("hex");
  const told = { kind: isBinary ? "binary" : "text", size: data.length, sha256 };
  return isBinary || data.length > 200 ? told : { ...told, text: data.toString() };
}

/** The message that a command asks for: given, or made up, about `size` bytes. */
function content({ text, kind, size }) {
  if (text !== undefined) return Buffer.from(text);
  if (kind === "binary") return randomBytes(size);
  const words = [];
  for (let length = 0; length < size; length += 9) words.push(WORDS[randomInt(WORDS.length)]);
  return Buffer.from(words.join(" "));
}

/** The message in so many fragments, some of them empty by chance, and characters cut through. */
function cut(data, pieces) {
  const places = Array.from({ length: pieces - 1 }, () => randomInt(data.length + 1)).sort((a, b) => a - b);
  return [...places, data.length].map((end, index) => data.subarray(places[index - 1] ?? 0, end));
}

async function send(ws, data, binary, pieces) {
  const fragments = cut(data, pieces);
  for (const [index, fragment] of fragments.entries()) {
    const fin = index === fragments.length - 1;
    await new Promise((done, failed) =>
      ws.send(fragment, { binary, fin }, (error) => (error ? failed(error) : done())),
    );
  }
}

/** Many messages in both directions at once, with pings between them; what was sent and what came, each as one hash. */
class Flow {
  static pingEvery = 100; // messages

  constructor(ws, count) {
    Object.assign(this, { ws, count, stillToCome: count });
    this.came = createHash("sha256");
    this.left = createHash("sha256");
    this.allCame = new Promise((done) => (this.done = done));
  }

  static add(hash, data, isBinary) {
    hash.update(`${isBinary ? "binary" : "text"} ${data.length} `).update(data);
  }

  take(data, isBinary) {
    Flow.add(this.came, data, isBinary);
    this.stillToCome -= 1;
    if (this.stillToCome === 0) this.done();
  }

  async run() {
    for (let sent = 0; sent < this.count; sent += 1) {
      if (sent % Flow.pingEvery === 0) this.ws.ping();
      const binary = randomInt(2) === 1;
      const size = Math.floor(65536 * Math.random() ** 12);
      const data = content({ kind: binary ? "binary" : "text", size });
      Flow.add(this.left, data, binary);
      await send(this.ws, data, binary, [1, 1, 2, 5][randomInt(4)]);
    }
    await this.allCame;
    tell("flowed", { sent: this.left.digest("hex"), received: this.came.digest("hex") });
  }
}

/** Everything that a connection brings until it ends. */
function talk(ws, { path, offer, answer }) {
  connections.push(ws);
  tell("opened", { path, subprotocol: ws.protocol || null, offer, answer });
  const flow = options.flow && new Flow(ws, options.flow);
  ws.on("message", (data, isBinary) => {
    if (flow) return flow.take(data, isBinary);
    tell("message", describe(data, isBinary));
    if (options.echo) ws.send(data, { binary: isBinary });
  });
  ws.on("ping", (payload) => tell("ping", { payload: payload.toString("latin1") }));
  ws.on("pong", (payload) => tell("pong", { payload: payload.toString("latin1") }));
  ws.on("error", () => {}); // `close` follows
  ws.on("close", (code, reason) => {
    tell("closed", { code, reason: reason.toString() });
  });
  flow?.run();
}

async function obey(command) {
  const ws = connections.at(command.connection ?? -1);
  switch (command.do) {
    case "send": {
      const data = content(command);
      await send(ws, data, command.kind === "binary", command.fragments ?? 1);
      tell("sent", describe(data, command.kind === "binary"));
      break;
    }
    case "ping":
      ws.ping(command.payload);
      break;
    case "close":
      ws.close(command.code, command.reason);
      break;
    case "raw":
      ws._socket.write(Buffer.from(command.hex, "hex"), () => tell("written"));
      break;
  }
}

/** One set of names for the parameters of RFC 7692 in both peers. */
function deflateOptions(parameters) {
  if (!parameters) return false;
  return {
    threshold: 0,
    serverNoContextTakeover: parameters.server_no_context_takeover,
    clientNoContextTakeover: parameters.client_no_context_takeover,
    serverMaxWindowBits: parameters.server_max_window_bits,
    clientMaxWindowBits: parameters.client_max_window_bits,
  };
}

function listen() {
  const http = createServer((request, response) => {
    if (request.url === "/plain") response.end("plain HTTP\n");
    else if (request.method === "POST") request.pipe(response);
    else response.writeHead(404).end();
  });
  const server = new WebSocketServer({
    noServer: true,
    ...UNLIMITED,
    perMessageDeflate: deflateOptions(options.deflate),
    handleProtocols: (offered) => options.subprotocols?.find((name) => offered.has(name)) ?? false,
  });
  let answer = "";
  server.on("headers", (lines) => {
    answer = lines.find((line) => line.startsWith("Sec-WebSocket-Extensions: "))?.slice(26) ?? "";
  });
  http.on("upgrade", (request, socket, head) => {
    if (request.url === "/forbidden") {
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\nConnection: close\r\n\r\nnot for you\n");
      return;
    }
    let offer = request.headers[EXTENSIONS] ?? "";
    if (options.deaf) offer = request.headers[EXTENSIONS] = offer.replaceAll("; client_no_context_takeover", "");
    server.handleUpgrade(request, socket, head, (ws) => talk(ws, { path: request.url, offer, answer }));
  });
  http.listen(options.listen.port ?? 0, "127.0.0.1", () => tell("listening", { port: http.address().port }));
}

function connect() {
  let offer = "";
  const ws = new WebSocket(options.connect, options.subprotocols ?? [], {
    ...UNLIMITED,
    perMessageDeflate: deflateOptions(options.offers?.[0]),
    finishRequest(request) {
      offer = request.getHeader(EXTENSIONS) ?? "";
      request.end();
    },
  });
  ws.on("upgrade", (response) => {
    const answer = response.headers[EXTENSIONS] ?? "";
    ws.on("open", () => talk(ws, { path: new URL(options.connect).pathname, offer, answer }));
  });
  ws.on("error", ({ message }) => tell("failed", { message }));
  ws.on("unexpected-response", async (request, response) => {
    let body = "";
    for await (const chunk of response) body += chunk;
    tell("refused", { status: response.statusCode, body });
    process.exit();
  });
}

createInterface({ input: process.stdin })
  .on("line", (line) => obey(JSON.parse(line)))
  .on("close", () => process.exit());
if (options.listen) listen();
else connect();
