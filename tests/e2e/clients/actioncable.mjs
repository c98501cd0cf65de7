// Rails Action Cable: the real client; a backend that confirms subscriptions and sends back what it is sent.

import { adapters, ConnectionMonitor, createConsumer, logger } from "@rails/actioncable";
import { beat, options, run, scripted, telling, tell } from "./lines.mjs";

function client(url) {
  globalThis.addEventListener ??= () => {}; // the library listens for the page being shown
  globalThis.removeEventListener ??= () => {};
  adapters.WebSocket = telling((data) => JSON.parse(data).type === "ping");
  adapters.logger = { log: (_, message) => /stale connection/.test(message) && tell("lost", { why: "stale" }) };
  logger.enabled = true;
  ConnectionMonitor.staleThreshold = options.patience / 1000;
  const consumer = createConsumer(url);
  const room = consumer.subscriptions.create("Room", {
    connected: () => tell("connected"),
    disconnected: () => tell("lost", { why: "disconnected" }),
    received: (message) => tell("message", message),
  });
  return { say: (said) => room.perform("say", said), close: () => consumer.disconnect() };
}

function backend() {
  return scripted(
    (ws) => {
      const send = (message) => ws.send(JSON.stringify(message));
      send({ type: "welcome" });
      beat(ws, JSON.stringify({ type: "ping", message: 1700000000 }));
      return (text) => {
        const { command, identifier, data } = JSON.parse(text);
        if (command === "subscribe") send({ identifier, type: "confirm_subscription" });
        if (command !== "message") return;
        const { text: said } = JSON.parse(data);
        tell("message", { text: said });
        send({ identifier, message: { text: said } });
      };
    },
    ["actioncable-v1-json"],
  );
}

run({ client, backend });
