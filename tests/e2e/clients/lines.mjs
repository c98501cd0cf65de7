// What the programs here share: options in, lines of JSON out, commands in, and a backend that follows a script.

import { createInterface } from "node:readline";
import { WebSocket, WebSocketServer } from "ws";

export const options = JSON.parse(process.argv[2]);

export function tell(event, fields = {}) {
  process.stdout.write(JSON.stringify({ event, ...fields }) + "\n");
}

/** Runs a backend, or a client, which returns what it can be asked to do: functions by the name of the command. */
export function run({ client, backend }) {
  const able = options.connect ? client(options.connect) : backend();
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const { do: what, ...fields } = JSON.parse(line);
      able[what](fields);
    })
    .on("close", () => process.exit());
}

/** Listens on a port of the system's choice. */
export function listen(http) {
  http.listen(0, "127.0.0.1", () => tell("listening", { port: http.address().port }));
  return {};
}

/** A backend on bare WebSocket: `talk` gets each connection, and returns what takes in its messages. */
export function scripted(talk, subprotocols = []) {
  const server = new WebSocketServer({
    host: "127.0.0.1",
    port: 0,
    handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) ?? false,
  });
  server.on("listening", () => tell("listening", { port: server.address().port }));
  server.on("connection", (ws) => {
    tell("opened", { subprotocol: ws.protocol || null });
    const take = talk(ws);
    ws.on("message", (data, isBinary) => take(isBinary ? data : data.toString()));
    ws.on("error", () => {}); // `close` follows
    ws.on("close", (code) => tell("closed", { code }));
  });
  return {};
}

/** Sends a backend's heartbeat now and then, for as long as the connection is there. */
export function beat(ws, heartbeat, period = options.period) {
  const beating = setInterval(() => ws.send(heartbeat), period);
  ws.on("close", () => clearInterval(beating));
}

/** A WebSocket for libraries that do not tell of the heartbeats they get. */
export function telling(isHeartbeat) {
  return class extends WebSocket {
    constructor(...where) {
      super(...where);
      this.on("message", (data) => isHeartbeat(data) && tell("heartbeat"));
    }
  };
}
