/** @type {Record<'json' | 'text', Heartbeat>} */
export const HEARTBEATS: Record<"json" | "text", Heartbeat>;
/** Finds out whether one connection lives: asks every so often, and any message is proof. */
export class Liveness {
    /**
     * @param {WebSocket} socket an open one
     * @param {Heartbeat | undefined} heartbeat
     * @param {Rhythm} options
     * @param {(rtt: number) => void} onPong
     * @param {() => void} onDead
     */
    constructor(socket: WebSocket, heartbeat: Heartbeat | undefined, options: Rhythm, onPong: (rtt: number) => void, onDead: () => void);
    end(): void;
    /**
     * @param {string | ArrayBuffer | ArrayBufferView | Blob} data
     * @returns {boolean} `false`: the socket is closing already
     */
    send(data: string | ArrayBuffer | ArrayBufferView | Blob): boolean;
    /** Asks now, unless an answer is being waited for. */
    check(): void;
    /**
     * A message came.
     * @param {unknown} data
     * @returns {boolean} whether it was a heartbeat
     */
    received(data: unknown): boolean;
    #private;
}
/**
 * An application-level heartbeat.
 */
export type Heartbeat = {
    /**
     * the message that asks
     */
    ping: () => string | ArrayBuffer;
    /**
     * whether a message answers it
     */
    isPong: (data: unknown) => boolean;
    /**
     * what to say to the server's own question
     */
    answer?: ((data: unknown) => string | ArrayBuffer | undefined) | undefined;
};
/**
 * times in milliseconds
 */
export type Rhythm = {
    /**
     * from ping to ping
     */
    pingInterval: number;
    /**
     * a ping that no message follows for so long means that the connection is dead
     */
    pongTimeout: number;
};
