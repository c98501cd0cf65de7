// ASP.NET SignalR: the real client; a backend that agrees to the handshake, answers one call, and has the library's own
// encodings of the messages, JSON and MessagePack.

import { HubConnectionBuilder, HttpTransportType, JsonHubProtocol, LogLevel, MessageType } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { beat, options, run, scripted, telling, tell } from "./lines.mjs";

const protocol = options.encoding === "messagepack" ? new MessagePackHubProtocol() : new JsonHubProtocol();
const isText = protocol.name === "json";
const logger = { log: (level, message) => level >= LogLevel.Error && process.stderr.write(`${message}\n`) };

/** The messages in a frame; none in that of the handshake. */
function messages(data) {
  const bytes = new Uint8Array(data).buffer;
  return isHandshake(data) ? [] : protocol.parseMessages(isText ? data.toString() : bytes, logger);
}

function isHandshake(data) {
  const text = data.toString();
  return text === "{}\x1e" || text.startsWith('{"protocol":');
}

const isPing = (data) => messages(data).some(({ type }) => type === MessageType.Ping);

function client(url) {
  const hub = new HubConnectionBuilder()
    .withUrl(url.replace(/^ws/, "http"), {
      skipNegotiation: true,
      transport: HttpTransportType.WebSockets,
      WebSocket: telling(isPing),
    })
    .withHubProtocol(protocol)
    .withKeepAliveInterval(options.period)
    .withServerTimeout(options.patience)
    .configureLogging(LogLevel.None)
    .build();
  hub.onclose((error) => tell("lost", { why: error?.message }));
  hub.start().then(() => tell("connected"));
  return {
    say: async ({ text }) => tell("message", { text: await hub.invoke("say", text) }),
    close: () => hub.stop(),
  };
}

function backend() {
  const write = (message) => {
    const written = protocol.writeMessage(message);
    return isText ? written : Buffer.from(written);
  };
  return scripted((ws) => (data) => {
    if (isHandshake(data)) {
      ws.send("{}\x1e");
      beat(ws, write({ type: MessageType.Ping }));
    }
    for (const { type, arguments: given, invocationId } of messages(data)) {
      if (type === MessageType.Ping) tell("heartbeat");
      if (type !== MessageType.Invocation) continue;
      tell("message", { text: given[0] });
      ws.send(write({ type: MessageType.Completion, invocationId, result: given[0], headers: {} }));
    }
  });
}

run({ client, backend });
