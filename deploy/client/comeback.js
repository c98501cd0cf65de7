/** When to come back after a close, and whether. */

/**
 * What follows a close: come back at once (`now`), with backoff (`backoff`), at a random moment because everybody else
 * was closed too (`spread`), much later because the server is overloaded (`later`), or not at all (`stop`).
 * @typedef {'now' | 'backoff' | 'spread' | 'later' | 'stop'} Comeback
 */

/** @type {Record<number, Comeback>} */
const AFTER_CLOSE = {
  1000: 'stop', // the server is done
  1001: 'spread', // restart, idle, maximum lifetime
  1002: 'stop', // one of the two speaks WebSocket wrongly
  1003: 'stop',
  1005: 'now', // a Close without a code says nothing
  1006: 'now', // the network, or a refused opening
  1007: 'stop',
  1008: 'stop', // policy
  1009: 'stop', // the same message would be too big again
  1010: 'stop',
  1011: 'backoff', // the server or its backend is in trouble
  1012: 'spread', // restart
  1013: 'later', // overloaded
  1014: 'backoff',
};

/**
 * What a client does after this close code.
 * @param {number} code
 * @returns {Comeback}
 */
export function afterClose(code) {
  return AFTER_CLOSE[code] ?? 'backoff';
}

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
export function delayBefore(comeback, attempt, options) {
  const { minDelay, maxDelay, jitter, spread, random } = options;
  const chance = random();
  const failures = comeback === 'backoff' ? Math.max(attempt, 1) : attempt;
  const step = Math.min(maxDelay, minDelay * 2 ** (failures - 1));
  const backoff = failures === 0 ? minDelay * jitter * chance : step * (1 - jitter * chance);
  switch (comeback) {
    case 'now':
    case 'backoff':
      return backoff;
    case 'spread':
      return Math.max(spread * chance, failures === 0 ? 0 : backoff);
    case 'later':
      return spread + Math.max(0, maxDelay - spread) * chance;
    default:
      throw new TypeError(`\`decide\` returned ${comeback}`);
  }
}
