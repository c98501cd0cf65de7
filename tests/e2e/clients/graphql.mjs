// graphql-transport-ws: the real client and the real server of graphql-ws.

import { createServer } from "node:http";
import { buildSchema } from "graphql";
import { createClient } from "graphql-ws";
import { useServer } from "graphql-ws/lib/use/ws";
import { WebSocket, WebSocketServer } from "ws";
import { listen, options, run, tell } from "./lines.mjs";

const perMessageDeflate = options.deflate ? { threshold: 0 } : false;

class Compressing extends WebSocket {
  constructor(url, subprotocols) {
    super(url, subprotocols, { perMessageDeflate });
  }
}

function client(url) {
  let patience;
  const graphql = createClient({
    url,
    webSocketImpl: Compressing,
    lazy: false,
    retryAttempts: 0,
    onNonLazyError: () => {}, // `closed` tells of it
    keepAlive: options.period,
    on: {
      connected: (ws) => tell("connected", { extensions: ws.extensions }),
      // The library leaves to its user what a missing pong means; this is its recipe.
      ping: (isReceived) => {
        if (isReceived) return;
        tell("asked");
        patience = setTimeout(() => graphql.terminate(), options.patience);
      },
      pong: (isReceived) => {
        if (!isReceived) return;
        tell("heartbeat");
        clearTimeout(patience);
      },
      closed: ({ code, reason }) => {
        clearTimeout(patience);
        tell("lost", { why: reason, code });
      },
    },
  });
  const say = ({ text }) =>
    graphql.subscribe(
      { query: "query ($text: String!) { echo(text: $text) }", variables: { text } },
      { next: ({ data }) => tell("message", { text: data.echo }), error: () => {}, complete: () => {} },
    );
  return { say, close: () => graphql.dispose() };
}

function backend() {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate });
  const echo = ({ text }) => {
    tell("message", { text });
    return text;
  };
  const schema = buildSchema("type Query { echo(text: String!): String }");
  useServer({ schema, roots: { query: { echo } } }, server);
  server.on("connection", (ws) => {
    tell("opened", { subprotocol: ws.protocol });
    ws.on("message", (data) => ["ping", "pong"].includes(JSON.parse(data).type) && tell("heartbeat"));
    ws.on("close", (code) => tell("closed", { code }));
  });
  return listen(http);
}

run({ client, backend });
