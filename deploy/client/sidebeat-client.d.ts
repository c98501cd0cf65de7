export { afterClose };
export class SidebeatClient extends EventTarget {
    /**
     * Connects; listeners that are added in the same turn miss nothing.
     * @param {string | URL | ((attempt: number) => string | URL | Promise<string | URL>)} url a function is asked before
     *   each try: for a fresh token, or for another server; `attempt` is 0 for the first try
     * @param {Partial<Options>} [options]
     */
    constructor(url: string | URL | ((attempt: number) => string | URL | Promise<string | URL>), options?: Partial<Options>);
    /** `waiting`: for the next try; `closed`: there will be none. */
    get state(): "open" | "connecting" | "waiting" | "closed";
    /** The last round trip in milliseconds. */
    get rtt(): number | undefined;
    /**
     * @template {keyof ClientEvents} T
     * @param {T} type
     * @param {((event: ClientEvents[T]) => void) | null} listener
     * @param {boolean | AddEventListenerOptions} [options]
     */
    addEventListener<T extends keyof ClientEvents>(type: T, listener: ((event: ClientEvents[T]) => void) | null, options?: boolean | AddEventListenerOptions): void;
    /**
     * Sends a message now or never: nothing is kept for a later connection.
     * @param {string | ArrayBuffer | ArrayBufferView | Blob} data
     * @returns {boolean} `false`: not connected, nothing was sent
     */
    send(data: string | ArrayBuffer | ArrayBufferView | Blob): boolean;
    /** Connects, if there is no connection: at once while waiting, and again after the end. */
    connect(): void;
    /**
     * Ends it for good. The `close` event fires before this returns.
     * @param {number} [code] 1000 or 3000–4999
     * @param {string} [reason]
     */
    close(code?: number, reason?: string): void;
    #private;
}
export type Comeback = import("./comeback.js").Comeback;
export type Pace = import("./comeback.js").Pace;
export type Heartbeat = import("./liveness.js").Heartbeat;
export type Rhythm = import("./liveness.js").Rhythm;
/**
 * A connection, or a try to get one, that has ended.
 */
export type Closed = {
    /**
     * as in CloseEvent; 1006 too when this side gave up: no pong, no answer to the opening
     */
    code: number;
    /**
     * as in CloseEvent, or why this side gave up
     */
    reason: string;
    /**
     * as in CloseEvent
     */
    wasClean: boolean;
    /**
     * whether there was a connection; not, for instance, when HTTP 403 answered the opening
     */
    opened: boolean;
};
/**
 * times in milliseconds
 */
export type Basics = {
    /**
     * `{"type":"ping","timestamp":…}`, `ping`, nothing, or your own
     */
    heartbeat: "json" | "text" | "off" | Heartbeat;
    /**
     * for the URL function and the opening handshake together
     */
    connectTimeout: number;
    /**
     * a connection that held so long makes the next comeback a first one again
     */
    stableAfter: number;
    /**
     * tries without a stable connection before giving up
     */
    maxAttempts: number;
    /**
     * overrules `afterClose`; `undefined` leaves it alone
     */
    decide: (closed: Closed) => Comeback | undefined;
    /**
     * subprotocols to offer
     */
    protocols: string | string[];
    /**
     * what binary messages arrive as
     */
    binaryType: BinaryType;
    /**
     * the class to use; Node below 22 has none of its own
     */
    WebSocket: typeof WebSocket;
};
export type Options = Basics & Rhythm & Pace;
export type ClientEvents = {
    open: Event;
    /**
     * whatever is no heartbeat
     */
    message: Event & {
        data: any;
    };
    /**
     * the round trip of a ping
     */
    pong: Event & {
        rtt: number;
    };
    /**
     * `delay`: ms to the next try; `null`: none
     */
    close: Event & Closed & {
        comeback: Comeback;
        delay: number | null;
    };
};
import { afterClose } from './comeback.js';
