// Waiting for what processes and pages tell, instead of for time.

import { createInterface } from 'node:readline';

/** For anything to happen that should happen soon: generous, as machines may be busy. */
const PATIENCE = 20_000;

/** Whether an object has these fields. A function is a condition on its field. */
function matches(told, fields) {
  return Object.entries(fields).every(([name, wanted]) =>
    typeof wanted === 'function' ? wanted(told[name]) : told[name] === wanted,
  );
}

/** What was told, in order, and who waits for more of it. */
export class Told {
  all = [];
  #taken = 0;
  #waiting = [];

  add(told) {
    this.all.push(told);
    for (const look of [...this.#waiting]) look();
  }

  /** How often something with these fields was told so far. */
  count(fields) {
    return this.all.filter((told) => matches(told, fields)).length;
  }

  /** The next with these fields; what came before it is passed over. */
  next(fields) {
    return this.#until(`next ${JSON.stringify(fields)}`, () => {
      for (let index = this.#taken; index < this.all.length; index += 1) {
        if (!matches(this.all[index], fields)) continue;
        this.#taken = index + 1;
        return this.all[index];
      }
      return undefined;
    });
  }

  /** When so many with these fields have been told since the beginning: all of them. Takes nothing. */
  some(count, fields) {
    return this.#until(`${count} of ${JSON.stringify(fields)}`, () => {
      const found = this.all.filter((told) => matches(told, fields));
      return found.length >= count ? found : undefined;
    });
  }

  #until(what, find) {
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((other) => other !== look);
        settle(value);
      };
      const look = () => {
        const found = find();
        if (found !== undefined) done(resolve, found);
      };
      const timer = setTimeout(() => {
        const last = this.all.slice(-10).map((told) => `\n  ${JSON.stringify(told)}`);
        done(reject, new Error(`${what} did not come, but last:${last.join('')}`));
      }, PATIENCE);
      this.#waiting.push(look);
      look();
    });
  }
}

/** What a process writes to its stdout as lines of JSON. */
export function toldBy(process) {
  const told = new Told();
  createInterface({ input: process.stdout }).on('line', (line) => told.add(JSON.parse(line)));
  return told;
}
