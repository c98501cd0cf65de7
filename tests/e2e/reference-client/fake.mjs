// Time and sockets that a test leads by the hand. Importing this replaces the clock of the process.

import { SidebeatClient } from '../../../deploy/client/sidebeat-client.js';

let now = 0;
let made = 0;
const timers = new Map();

globalThis.setTimeout = (run, delay = 0) => {
  made += 1;
  timers.set(made, { run, due: now + delay });
  return made;
};
globalThis.clearTimeout = (id) => timers.delete(id);
Object.defineProperty(globalThis, 'performance', { value: { now: () => now } });

/** Lets promises go on. */
async function settle() {
  for (let turn = 0; turn < 10; turn += 1) await undefined;
}

/** Time passes, and timers run when they are due. */
export async function pass(ms) {
  const end = now + ms;
  await settle();
  for (;;) {
    const [id, next] = [...timers].sort(([, a], [, b]) => a.due - b.due)[0] ?? [];
    if (next === undefined || next.due > end) break;
    timers.delete(id);
    now = Math.max(now, next.due);
    next.run();
    await settle();
  }
  now = Math.max(now, end);
}

/** Time passes, and no timer runs: the page is frozen, or its timers are held back. Those that were due run after it. */
export async function freeze(ms) {
  await settle();
  now += ms;
}

export const elapsed = () => now;

/** As the browser's, as far as the client uses it. What the network does to it the test says. */
class FakeSocket {
  readyState = 0;
  bufferedAmount = 0;
  sent = [];
  closedWith = undefined;

  constructor(url, protocols) {
    if (!/^wss?:/.test(url)) throw new SyntaxError(`The URL '${url}' is invalid.`);
    Object.assign(this, { url, protocols, madeAt: now });
  }

  send(data) {
    this.sent.push(data);
    if (this.stuck) this.bufferedAmount += data.length;
  }

  close(code, reason) {
    this.closedWith = { code, reason };
  }

  open() {
    this.readyState = 1;
    this.onopen?.({});
  }

  message(data) {
    this.onmessage?.({ data });
  }

  end(code, reason = '', wasClean = code !== 1006) {
    this.readyState = 3;
    this.onerror?.({});
    this.onclose?.({ code, reason, wasClean });
  }

  get pings() {
    return this.sent.filter((data) => JSON.parse(data).type === 'ping').length;
  }

  pong() {
    this.message('{"type":"pong","timestamp":1700000000}');
  }
}

/** What a client told, in order. */
function listen(client) {
  const events = [];
  for (const type of ['open', 'message', 'pong', 'close']) client.addEventListener(type, (event) => events.push(event));
  return Object.assign(events, {
    of: (type) => events.filter((event) => event.type === type),
    last: (type) => events.findLast((event) => event.type === type),
  });
}

/** A client, what it tells, and the sockets that it makes. Chance takes nothing, unless a test says otherwise. */
export function start(options = {}, url = 'ws://a') {
  now = Math.ceil(now); // sums of fractions, which another test has left, are not exact
  const sockets = [];
  class WebSocket extends FakeSocket {
    constructor(...given) {
      super(...given);
      sockets.push(this);
    }
  }
  const client = new SidebeatClient(url, { WebSocket, random: () => 0, ...options });
  return {
    client,
    sockets,
    events: listen(client),
    get socket() {
      return sockets.at(-1);
    },
  };
}

/** The same, and the first socket is open. */
export async function connected(options, url) {
  const world = start(options, url);
  await pass(0);
  world.socket.open();
  return world;
}
