// Centrifugo, JSON: the real client; a backend that connects it and answers one call.

import { Centrifuge } from "centrifuge";
import { beat, options, run, scripted, telling, tell } from "./lines.mjs";

function client(url) {
  const centrifuge = new Centrifuge(url, {
    websocket: telling((data) => data.toString() === "{}"),
    maxServerPingDelay: options.patience,
    minReconnectDelay: 1e6,
    maxReconnectDelay: 1e6,
  });
  centrifuge.on("connected", () => tell("connected"));
  centrifuge.on("connecting", ({ code, reason }) => code !== 0 && tell("lost", { why: reason, code }));
  centrifuge.on("disconnected", ({ code, reason }) => tell("lost", { why: reason, code }));
  centrifuge.connect();
  return {
    say: async (said) => tell("message", (await centrifuge.rpc("say", said)).data),
    close: () => centrifuge.disconnect(),
  };
}

function backend() {
  return scripted((ws) => (frame) => {
    for (const line of frame.split("\n")) {
      if (line === "{}") tell("heartbeat");
      const { id, connect, rpc } = JSON.parse(line);
      if (connect) {
        // Whole seconds; so the heartbeats come sooner than promised.
        ws.send(JSON.stringify({ id, connect: { client: "1", version: "6", ping: 1, pong: true } }));
        beat(ws, "{}");
      }
      if (rpc) {
        tell("message", rpc.data);
        ws.send(JSON.stringify({ id, rpc: { data: rpc.data } }));
      }
    }
  });
}

run({ client, backend });
