// STOMP 1.2: the real client; a backend that connects and sends back what it is sent.

import { Client } from "@stomp/stompjs";
import { WebSocket } from "ws";
import { beat, options, run, scripted, tell } from "./lines.mjs";

function client(url) {
  const stomp = new Client({
    webSocketFactory: () => new WebSocket(url, ["v12.stomp", "v11.stomp", "v10.stomp"]),
    reconnectDelay: 0,
    heartbeatOutgoing: options.period,
    heartbeatIncoming: options.period,
    heartbeatToleranceMultiplier: options.patience / options.period,
    discardWebsocketOnCommFailure: true,
    onConnect: () => tell("connected"),
    onHeartbeatReceived: () => tell("heartbeat"),
    onHeartbeatLost: () => tell("lost", { why: "heartbeat lost" }),
    onUnhandledMessage: ({ body }) => tell("message", { text: body }),
    onWebSocketClose: ({ code, reason }) => tell("lost", { why: reason, code }),
  });
  stomp.activate();
  return {
    say: ({ text }) => stomp.publish({ destination: "/say", body: text }),
    close: () => stomp.deactivate(),
  };
}

function backend() {
  return scripted(
    (ws) => (data) => {
      if (data === "\n") return tell("heartbeat");
      const [head, body] = data.replace(/\0\n?$/, "").split("\n\n");
      switch (head.split("\n")[0]) {
        case "CONNECT":
          ws.send(`CONNECTED\nversion:1.2\nheart-beat:${options.period},${options.period}\n\n\0`);
          beat(ws, "\n");
          break;
        case "SEND":
          tell("message", { text: body });
          ws.send(`MESSAGE\nsubscription:0\nmessage-id:1\ndestination:/say\n\n${body}\0`);
          break;
        case "DISCONNECT":
          ws.send(`RECEIPT\nreceipt-id:${/receipt:(.*)/.exec(head)[1]}\n\n\0`);
          break;
      }
    },
    ["v12.stomp"],
  );
}

run({ client, backend });
