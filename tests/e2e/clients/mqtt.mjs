// MQTT over WebSocket: the real client, and Aedes as the real broker.

import { createServer } from "node:http";
import Aedes from "aedes";
import mqtt from "mqtt";
import { createWebSocketStream, WebSocketServer } from "ws";
import { listen, options, run, tell } from "./lines.mjs";

function client(url) {
  const session = mqtt.connect(url, { keepalive: options.period / 1000, reconnectPeriod: 0, clean: true });
  session.on("connect", () => session.subscribe("said", () => tell("connected")));
  session.on("packetsend", ({ cmd }) => cmd === "pingreq" && tell("asked"));
  session.on("packetreceive", ({ cmd }) => cmd === "pingresp" && tell("heartbeat"));
  session.on("message", (topic, payload) => tell("message", { text: payload.toString() }));
  let why;
  session.on("error", (error) => (why = error.message));
  session.on("close", () => tell("lost", { why }));
  return { say: ({ text }) => session.publish("said", text), close: () => session.end() };
}

function backend() {
  const http = createServer();
  const broker = new Aedes();
  const server = new WebSocketServer({ server: http, handleProtocols: () => "mqtt" });
  server.on("connection", (ws) => {
    tell("opened", { subprotocol: ws.protocol });
    broker.handle(createWebSocketStream(ws));
  });
  broker.on("ping", () => tell("heartbeat"));
  broker.on("publish", ({ topic, payload }) => topic === "said" && tell("message", { text: payload.toString() }));
  broker.on("clientDisconnect", () => tell("closed"));
  return listen(http);
}

run({ client, backend });
