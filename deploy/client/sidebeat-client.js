/**
 * A WebSocket that notices when its connection is dead, and comes back when that makes sense.
 * No dependencies, for browsers and Node; README.md explains it.
 */

import { afterClose, delayBefore } from './comeback.js';
import { HEARTBEATS, Liveness } from './liveness.js';

export { afterClose };

/**
 * @typedef {import('./comeback.js').Comeback} Comeback
 * @typedef {import('./comeback.js').Pace} Pace
 * @typedef {import('./liveness.js').Heartbeat} Heartbeat
 * @typedef {import('./liveness.js').Rhythm} Rhythm
 */

/**
 * A connection, or a try to get one, that has ended.
 * @typedef {object} Closed
 * @property {number} code as in CloseEvent; 1006 too when this side gave up: no pong, no answer to the opening
 * @property {string} reason as in CloseEvent, or why this side gave up
 * @property {boolean} wasClean as in CloseEvent
 * @property {boolean} opened whether there was a connection; not, for instance, when HTTP 403 answered the opening
 */

/**
 * @typedef {object} Basics times in milliseconds
 * @property {'json' | 'text' | 'off' | Heartbeat} heartbeat `{"type":"ping","timestamp":…}`, `ping`, nothing, or your own
 * @property {number} connectTimeout for the URL function and the opening handshake together
 * @property {number} stableAfter a connection that held so long makes the next comeback a first one again
 * @property {number} maxAttempts tries without a stable connection before giving up
 * @property {(closed: Closed) => Comeback | undefined} decide overrules `afterClose`; `undefined` leaves it alone
 * @property {string | string[]} protocols subprotocols to offer
 * @property {BinaryType} binaryType what binary messages arrive as
 * @property {typeof WebSocket} WebSocket the class to use; Node below 22 has none of its own
 */

/** @typedef {Basics & Rhythm & Pace} Options */

/**
 * @typedef {object} ClientEvents
 * @property {Event} open
 * @property {Event & {data: any}} message whatever is no heartbeat
 * @property {Event & {rtt: number}} pong the round trip of a ping
 * @property {Event & Closed & {comeback: Comeback, delay: number | null}} close `delay`: ms to the next try; `null`: none
 */

/** @type {Options} */
const DEFAULTS = {
  heartbeat: 'json',
  pingInterval: 25_000,
  pongTimeout: 5_000,
  connectTimeout: 10_000,
  stableAfter: 10_000,
  minDelay: 1_000,
  maxDelay: 30_000,
  jitter: 0.5,
  spread: 5_000,
  maxAttempts: Infinity,
  decide: () => undefined,
  protocols: [],
  binaryType: 'arraybuffer',
  WebSocket: globalThis.WebSocket,
  random: Math.random,
};

/** The close code for a connection given up, should the server still get it: IANA's "Timeout". */
const GAVE_UP = 3008;

export class SidebeatClient extends EventTarget {
  /** @type {string | URL | ((attempt: number) => string | URL | Promise<string | URL>)} */
  #url;
  /** @type {Options} */
  #options;
  /** @type {Heartbeat | undefined} */
  #heartbeat;
  /** @type {'connecting' | 'open' | 'waiting' | 'closed'} */
  #state = 'closed';
  /** @type {WebSocket | undefined} */
  #socket;
  /** While open. @type {Liveness | undefined} */
  #liveness;
  #openedAt = 0;
  /** @type {number | undefined} */
  #rtt;
  /** Tries since the last stable connection. */
  #attempt = 0;
  /** Of the try under way; what belongs to an older one is void. */
  #generation = 0;
  /** Until the opening has failed, or until the next try. @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Takes the listeners for the page's events off. @type {AbortController | undefined} */
  #watching;

  /**
   * Connects; listeners that are added in the same turn miss nothing.
   * @param {string | URL | ((attempt: number) => string | URL | Promise<string | URL>)} url a function is asked before
   *   each try: for a fresh token, or for another server; `attempt` is 0 for the first try
   * @param {Partial<Options>} [options]
   */
  constructor(url, options = {}) {
    super();
    this.#url = url;
    this.#options = { ...DEFAULTS, ...options };
    const { heartbeat } = this.#options;
    if (typeof heartbeat === 'object') this.#heartbeat = heartbeat;
    else if (heartbeat !== 'off') this.#heartbeat = HEARTBEATS[heartbeat];
    if (!this.#options.WebSocket) {
      throw new TypeError('no WebSocket here: Node below 22 needs the option `WebSocket`, such as the class of `ws`');
    }
    this.connect();
  }

  /** `waiting`: for the next try; `closed`: there will be none. */
  get state() {
    return this.#state;
  }

  /** The last round trip in milliseconds. */
  get rtt() {
    return this.#rtt;
  }

  /**
   * @template {keyof ClientEvents} T
   * @param {T} type
   * @param {((event: ClientEvents[T]) => void) | null} listener
   * @param {boolean | AddEventListenerOptions} [options]
   */
  addEventListener(type, listener, options) {
    super.addEventListener(type, /** @type {EventListener} */ (listener), options);
  }

  /**
   * Sends a message now or never: nothing is kept for a later connection.
   * @param {string | ArrayBuffer | ArrayBufferView | Blob} data
   * @returns {boolean} `false`: not connected, nothing was sent
   */
  send(data) {
    return this.#liveness?.send(data) ?? false;
  }

  /** Connects, if there is no connection: at once while waiting, and again after the end. */
  connect() {
    if (this.#state === 'closed') {
      this.#attempt = 0;
      this.#watch();
      this.#dial();
    } else if (this.#state === 'waiting') {
      this.#dial();
    }
  }

  /**
   * Ends it for good. The `close` event fires before this returns.
   * @param {number} [code] 1000 or 3000–4999
   * @param {string} [reason]
   */
  close(code = 1000, reason = '') {
    if (this.#state !== 'closed') this.#end({ code, reason, wasClean: true }, 'stop', code);
  }

  async #dial() {
    const attempt = this.#attempt++;
    const generation = ++this.#generation;
    const { connectTimeout, protocols } = this.#options;
    this.#state = 'connecting';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(`no connection in ${connectTimeout} ms`), connectTimeout);
    let url;
    try {
      await undefined; // whoever made this client gets its turn to add listeners
      url = typeof this.#url === 'function' ? await this.#url(attempt) : this.#url;
    } catch (error) {
      if (this.#generation === generation) this.#lost(`no URL: ${error}`);
      return;
    }
    if (this.#generation !== generation) return;
    try {
      this.#use(new this.#options.WebSocket(url, protocols));
    } catch (error) {
      this.#lost(String(error), 'stop'); // not a URL for a WebSocket, and trying again does not make it one
    }
  }

  /** @param {WebSocket} socket */
  #use(socket) {
    this.#socket = socket;
    socket.binaryType = this.#options.binaryType;
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = ({ data }) => this.#liveness?.received(data) || this.#emit('message', { data });
    socket.onclose = ({ code, reason, wasClean }) => this.#end({ code, reason, wasClean });
    socket.onerror = () => {}; // `close` follows
  }

  /** @param {WebSocket} socket */
  #opened(socket) {
    clearTimeout(this.#timer);
    this.#state = 'open';
    this.#openedAt = performance.now();
    this.#liveness = new Liveness(
      socket,
      this.#heartbeat,
      this.#options,
      (rtt) => this.#ponged(rtt),
      () => this.#lost(`no pong in ${this.#options.pongTimeout} ms`),
    );
    this.#emit('open', {});
  }

  /** @param {number} rtt */
  #ponged(rtt) {
    this.#rtt = rtt;
    this.#emit('pong', { rtt });
  }

  /**
   * This side gives up, and does not wait for a closing handshake that a dead connection never finishes.
   * @param {string} reason
   * @param {Comeback} [comeback]
   */
  #lost(reason, comeback) {
    this.#end({ code: 1006, reason, wasClean: false }, comeback, GAVE_UP);
  }

  /**
   * The end of a connection, of a try, or of waiting for one.
   * @param {{code: number, reason: string, wasClean: boolean}} close
   * @param {Comeback} [comeback] overrules what the code says
   * @param {number} [send] the code to tell the server
   */
  #end(close, comeback, send) {
    const closed = { ...close, opened: this.#state === 'open' };
    if (closed.opened && performance.now() - this.#openedAt >= this.#options.stableAfter) this.#attempt = 0;
    this.#abandon(send, close.reason);
    comeback ??= this.#options.decide(closed) ?? afterClose(close.code);
    if (this.#attempt >= this.#options.maxAttempts) comeback = 'stop';
    const delay = comeback === 'stop' ? null : delayBefore(comeback, this.#attempt, this.#options);
    if (delay === null) {
      this.#watching?.abort();
    } else {
      this.#state = 'waiting';
      this.#timer = setTimeout(() => this.#dial(), delay);
    }
    this.#emit('close', { ...closed, comeback, delay });
  }

  /**
   * Lets go of the socket and the timers.
   * @param {number | undefined} code what to tell the server, unless it knows
   * @param {string} reason
   */
  #abandon(code, reason) {
    this.#state = 'closed';
    this.#generation += 1;
    clearTimeout(this.#timer);
    this.#liveness?.end();
    this.#liveness = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (code !== undefined) socket.close(code, reason);
  }

  /** The page's own signs that things have changed. */
  #watch() {
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const wake = () => this.#wake();
    const document = globalThis.document;
    globalThis.addEventListener?.('online', wake, { signal });
    document?.addEventListener('resume', wake, { signal }); // no longer frozen
    document?.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && wake(), { signal });
  }

  #wake() {
    if (this.#state === 'waiting') this.#dial();
    else this.#liveness?.check();
  }

  /**
   * @param {keyof ClientEvents} type
   * @param {object} fields
   */
  #emit(type, fields) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}
