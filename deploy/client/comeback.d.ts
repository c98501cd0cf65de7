/**
 * What a client does after this close code.
 * @param {number} code
 * @returns {Comeback}
 */
export function afterClose(code: number): Comeback;
/**
 * @typedef {object} Pace times in milliseconds
 * @property {number} minDelay before the second try; doubles with each
 * @property {number} maxDelay the most that it grows to
 * @property {number} jitter the share of a delay that is left to chance, 0 to 1
 * @property {number} spread the time over which clients come back that were all closed together
 * @property {() => number} random from 0 to below 1
 */
/**
 * Milliseconds until the next try.
 * @param {Exclude<Comeback, 'stop'>} comeback
 * @param {number} attempt tries since the last stable connection
 * @param {Pace} options
 */
export function delayBefore(comeback: Exclude<Comeback, "stop">, attempt: number, options: Pace): number;
/**
 * times in milliseconds
 */
export type Pace = {
    /**
     * before the second try; doubles with each
     */
    minDelay: number;
    /**
     * the most that it grows to
     */
    maxDelay: number;
    /**
     * the share of a delay that is left to chance, 0 to 1
     */
    jitter: number;
    /**
     * the time over which clients come back that were all closed together
     */
    spread: number;
    /**
     * from 0 to below 1
     */
    random: () => number;
};
/**
 * What follows a close: come back at once (`now`), with backoff (`backoff`), at a random moment because everybody else
 * was closed too (`spread`), much later because the server is overloaded (`later`), or not at all (`stop`).
 */
export type Comeback = "now" | "backoff" | "spread" | "later" | "stop";
