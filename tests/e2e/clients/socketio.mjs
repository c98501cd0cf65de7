// Socket.IO 4 (Engine.IO 4) and 2 (Engine.IO 3): the real client and the real server.

import { createServer } from "node:http";
import { listen, options, run, tell } from "./lines.mjs";

const { protocol, transports } = options;
const [{ default: io }, { default: Server }] =
  protocol === 4
    ? [await import("socket.io-client"), { default: (await import("socket.io")).Server }]
    : [await import("socket.io-client-2"), await import("socket.io-2")];

function client(url) {
  const socket = io(url, { transports, reconnection: false });
  socket.io.engine.on("upgrade", () => tell("upgraded"));
  socket.on("connect", () => tell("connected"));
  if (protocol === 4) {
    socket.io.on("ping", () => tell("heartbeat"));
  } else {
    socket.on("ping", () => tell("asked"));
    socket.on("pong", () => tell("heartbeat"));
  }
  socket.on("disconnect", (why, details) => tell("lost", { why, code: details?.context?.code }));
  socket.on("answer", (text) => tell("message", { text }));
  return { say: ({ text }) => socket.emit("say", text), close: () => socket.close() };
}

function backend() {
  const http = createServer();
  const times = { pingInterval: options.period, pingTimeout: options.patience };
  new Server(http, { serveClient: false, ...times }).on("connection", (socket) => {
    tell("opened");
    socket.conn.on("packet", ({ type }) => ["ping", "pong"].includes(type) && tell("heartbeat"));
    socket.on("say", (text) => {
      tell("message", { text });
      socket.emit("answer", text);
    });
    socket.on("disconnect", (why) => tell("closed", { why }));
  });
  return listen(http);
}

run({ client, backend });
