/** Whether a connection lives: heartbeats, and what their silence proves. */

/**
 * An application-level heartbeat.
 * @typedef {object} Heartbeat
 * @property {() => string | ArrayBuffer} ping the message that asks
 * @property {(data: unknown) => boolean} isPong whether a message answers it
 * @property {(data: unknown) => string | ArrayBuffer | undefined} [answer] what to say to the server's own question
 */

/**
 * @typedef {object} Rhythm times in milliseconds
 * @property {number} pingInterval from ping to ping
 * @property {number} pongTimeout a ping that no message follows for so long means that the connection is dead
 */

/** The `type` of a small JSON message. @param {unknown} data */
function typeOf(data) {
  if (typeof data !== 'string' || data.length > 1024 || !data.includes('"type"')) return undefined;
  try {
    return JSON.parse(data)?.type;
  } catch {
    return undefined;
  }
}

/** @type {Record<'json' | 'text', Heartbeat>} */
export const HEARTBEATS = {
  json: {
    ping: () => JSON.stringify({ type: 'ping', timestamp: Date.now() }),
    isPong: (data) => typeOf(data) === 'pong',
    answer: (data) => (typeOf(data) === 'ping' ? JSON.stringify({ type: 'pong', timestamp: Date.now() }) : undefined),
  },
  text: {
    ping: () => 'ping',
    isPong: (data) => data === 'pong',
    answer: (data) => (data === 'ping' ? 'pong' : undefined),
  },
};

/** A timer later than this was held back by the browser: a hidden tab's may be a minute late, a frozen one's an hour. */
const LATE = 1_000;
/** WebSocket.OPEN. */
const OPEN = 1;

/** Finds out whether one connection lives: asks every so often, and any message is proof. */
export class Liveness {
  #socket;
  #heartbeat;
  #options;
  #onPong;
  #onDead;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pingTimer;
  /** Runs while no message has followed a ping. @type {ReturnType<typeof setTimeout> | undefined} */
  #pongTimer;
  #pingedAt = 0;
  #pongDue = 0;
  /** Pings without their pong. */
  #owed = 0;
  #askedAgain = false;
  /** Bytes that the socket could not hand on at once, since it opened. */
  #queued = 0;
  /** How many of those must have left before the ping has that is waited for, and how many had when last looked at. */
  #ahead = 0;
  #left = 0;

  /**
   * @param {WebSocket} socket an open one
   * @param {Heartbeat | undefined} heartbeat
   * @param {Rhythm} options
   * @param {(rtt: number) => void} onPong
   * @param {() => void} onDead
   */
  constructor(socket, heartbeat, options, onPong, onDead) {
    this.#socket = socket;
    this.#heartbeat = heartbeat;
    this.#options = options;
    this.#onPong = onPong;
    this.#onDead = onDead;
    if (heartbeat) this.#schedule(heartbeat);
  }

  end() {
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#pongTimer);
  }

  /**
   * @param {string | ArrayBuffer | ArrayBufferView | Blob} data
   * @returns {boolean} `false`: the socket is closing already
   */
  send(data) {
    if (this.#socket.readyState !== OPEN) return false;
    const before = this.#socket.bufferedAmount;
    this.#socket.send(/** @type {any} */ (data));
    this.#queued += this.#socket.bufferedAmount - before;
    return true;
  }

  /** Asks now, unless an answer is being waited for. */
  check() {
    if (this.#heartbeat && this.#pongTimer === undefined) this.#ping(this.#heartbeat);
  }

  /**
   * A message came.
   * @param {unknown} data
   * @returns {boolean} whether it was a heartbeat
   */
  received(data) {
    clearTimeout(this.#pongTimer);
    this.#pongTimer = undefined;
    this.#askedAgain = false;
    const heartbeat = this.#heartbeat;
    if (!heartbeat) return false;
    if (heartbeat.isPong(data)) {
      this.#ponged();
      return true;
    }
    // Timers of a hidden tab are held back, messages are not.
    if (performance.now() - this.#pingedAt > this.#options.pingInterval + LATE) this.#ping(heartbeat);
    const answer = heartbeat.answer?.(data);
    if (answer === undefined) return false;
    this.send(answer);
    return true;
  }

  #ponged() {
    this.#owed -= 1;
    if (this.#owed === 0) this.#onPong(performance.now() - this.#pingedAt);
    // Answers to older pings measure nothing, and pongs that nobody asked for are not owed back.
    this.#owed = Math.max(0, this.#owed);
  }

  /** @param {Heartbeat} heartbeat */
  #schedule(heartbeat) {
    clearTimeout(this.#pingTimer);
    this.#pingedAt = performance.now();
    this.#pingTimer = setTimeout(() => this.#ping(heartbeat), this.#options.pingInterval);
  }

  /** @param {Heartbeat} heartbeat */
  #ping(heartbeat) {
    this.#schedule(heartbeat);
    const mustWait = this.#socket.bufferedAmount > 0;
    this.send(heartbeat.ping());
    this.#owed += 1;
    if (this.#pongTimer !== undefined) return; // still waiting after the ping before this one
    this.#ahead = mustWait ? this.#queued : 0;
    this.#left = this.#gone();
    this.#awaitMessage();
  }

  #awaitMessage() {
    const { pongTimeout } = this.#options;
    this.#pongDue = performance.now() + pongTimeout;
    this.#pongTimer = setTimeout(() => this.#noMessage(), pongTimeout);
  }

  /** Silence proves something only if the ping had left and the page was awake. */
  #noMessage() {
    this.#pongTimer = undefined;
    const gone = this.#gone();
    if (this.#left < this.#ahead && this.#left < gone) {
      this.#left = gone;
      this.#awaitMessage();
    } else if (performance.now() - this.#pongDue > LATE && !this.#askedAgain) {
      this.#askedAgain = true;
      this.check();
    } else {
      this.#onDead();
    }
  }

  /** How many queued bytes have left this process. */
  #gone() {
    return this.#queued - this.#socket.bufferedAmount;
  }
}
