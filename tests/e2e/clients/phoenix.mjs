// Phoenix channels: the real client, with both forms of its messages; a backend that knows joins and one event.

import { Socket } from "phoenix";
import { WebSocket } from "ws";
import { options, run, scripted, tell } from "./lines.mjs";

/** The serializer V1: the message as an object. The library brings V2, which is a list. */
const V1 = {
  vsn: "1.0.0",
  encode: (message, done) => done(JSON.stringify(message)),
  decode: (message, done) => done(JSON.parse(message)),
};

function client(url) {
  const socket = new Socket(`${url}/socket`, {
    transport: WebSocket,
    heartbeatIntervalMs: options.period,
    authToken: options.token, // with one, the library offers the subprotocol `phoenix`
    reconnectAfterMs: () => 1e6,
    logger: (kind, message) => message.startsWith("heartbeat timeout") && tell("lost", { why: message }),
    ...(options.version === 1 ? V1 : {}),
  });
  socket.onMessage(({ topic, event }) => topic === "phoenix" && event === "phx_reply" && tell("heartbeat"));
  socket.onClose(({ code, reason }) => tell("lost", { why: reason, code }));
  const channel = socket.channel("room:1");
  socket.connect();
  channel.join().receive("ok", () => tell("connected"));
  return {
    say: ({ text }) => channel.push("say", { text }).receive("ok", (answer) => tell("message", answer)),
    close: () => socket.disconnect(),
  };
}

function backend() {
  return scripted(
    (ws) => (data) => {
      const message = JSON.parse(data);
      const isList = Array.isArray(message);
      const [join, ref, topic, event, payload] = isList
        ? message
        : [message.join_ref, message.ref, message.topic, message.event, message.payload];
      if (event === "heartbeat") return tell("heartbeat");
      if (event === "say") tell("message", payload);
      const reply = { status: "ok", response: payload };
      const answer = isList
        ? [join, ref, topic, "phx_reply", reply]
        : { topic, event: "phx_reply", payload: reply, ref };
      ws.send(JSON.stringify(answer));
    },
    ["phoenix"],
  );
}

run({ client, backend });
