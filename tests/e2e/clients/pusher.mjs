// Pusher Channels: the real client; a backend that greets and knows one event.

import Pusher from "pusher-js";
import { options, run, scripted, tell } from "./lines.mjs";

function client(url) {
  const { hostname, port } = new URL(url);
  const pusher = new Pusher("key", {
    cluster: "",
    wsHost: hostname,
    wsPort: port,
    forceTLS: false,
    enabledTransports: ["ws"],
    activityTimeout: options.period,
    pongTimeout: options.patience,
  });
  const { connection } = pusher;
  connection.bind("message", ({ event, data }) => {
    if (event === "pusher:pong") tell("heartbeat");
    if (event === "answer") tell("message", data);
  });
  connection.bind("state_change", ({ previous, current }) => {
    if (current === "connected") tell("connected");
    else if (previous === "connected") tell("lost", { why: current });
  });
  return { say: (said) => pusher.send_event("client-say", said), close: () => pusher.disconnect() };
}

function backend() {
  return scripted((ws) => {
    const send = (event, data) => ws.send(JSON.stringify({ event, data: JSON.stringify(data) }));
    send("pusher:connection_established", { socket_id: "1.1", activity_timeout: 120 });
    return (text) => {
      const { event, data } = JSON.parse(text);
      if (event === "client-say") {
        tell("message", data);
        send("answer", data);
      } else if (/^pusher:p[io]ng$/.test(event)) {
        tell("heartbeat");
      }
    };
  });
}

run({ client, backend });
