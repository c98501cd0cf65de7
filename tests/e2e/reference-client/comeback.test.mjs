// When the client comes back, how soon, and when it does not.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { afterClose } from '../../../deploy/client/sidebeat-client.js';
import { connected, pass, start } from './fake.mjs';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** The rows of a table in a README, as lists of cells. */
function table(markdown, name) {
  const [, body] = markdown.match(new RegExp(`<!-- table: ${name} -->\n([^]*?)<!-- end -->`));
  const rows = body.trim().split('\n').slice(2);
  return rows.map((row) => row.split('|').slice(1, -1).map((cell) => cell.trim()));
}

const ROWS = table(read('../../../deploy/client/README.md'), 'codes');

/** `1000`, `1002, 1003` or `3000–3999` as codes; of a range its ends and one within. */
function codes(cell) {
  return cell.split(', ').flatMap((part) => {
    const [first, last] = part.split('–').map(Number);
    return last === undefined ? [first] : [first, Math.floor((first + last) / 2), last];
  });
}

/** A connection that was stable and then ends so. */
async function closedWith(code, chance, options) {
  const world = await connected({ heartbeat: 'off', random: () => chance, ...options });
  await pass(10_000);
  world.socket.end(code);
  return { ...world, told: world.events.last('close') };
}

/** What each word of the README's table promises: the first delay with no chance, and with the most of it. */
const PROMISES = {
  now: [0, 500],
  backoff: [1000, 500],
  spread: [0, 5000],
  later: [5000, 30_000],
  stop: [null, null],
};

test('the table of close codes in the README is what the client does', async () => {
  const seen = new Set();
  for (const [cell, , word] of ROWS) {
    const [, comeback] = word.match(/^`(\w+)`/);
    for (const code of codes(cell)) {
      assert.ok(!seen.has(code), `${code} twice`);
      seen.add(code);
      assert.equal(afterClose(code), comeback, `${code}`);
      for (const chance of [0, 1]) {
        const { client, sockets, told } = await closedWith(code, chance);
        assert.equal(told.comeback, comeback, `${code}`);
        assert.equal(told.delay, PROMISES[comeback][chance], `${code}`);
        assert.equal(client.state, comeback === 'stop' ? 'closed' : 'waiting');
        await pass(30_000);
        assert.equal(sockets.length > 1, comeback !== 'stop', `${code}`);
        client.close();
      }
    }
  }
  for (let code = 1000; code < 1016; code += 1) assert.ok(seen.has(code), `${code} is missing`);
  for (const code of [3000, 3999, 4000, 4999]) assert.ok(seen.has(code), `${code} is missing`);
});

test('every code that the sidecar sends is in the table', () => {
  const known = new Set(ROWS.flatMap(([cell]) => codes(cell)));
  const reasons = table(read('../../../README.md'), 'reasons');
  const sent = new Set(reasons.flatMap(([, , cell]) => cell.match(/^\d{4}/) ?? []));
  assert.ok(sent.size >= 5, [...sent].join());
  for (const code of sent) assert.ok(known.has(Number(code)), code);
});

test('the table of options in the README has them all, with their defaults', () => {
  const [, source] = read('../../../deploy/client/sidebeat-client.js').match(/const DEFAULTS = \{\n([^]*?)\n\};/);
  const defaults = source.split('\n').map((line) => line.match(/^  (\w+): (.*),$/).slice(1));
  const told = table(read('../../../deploy/client/README.md'), 'options').map(([name, value]) => [name, value]);
  const code = (text) => `\`${text}\``;
  const inWords = { decide: '–', WebSocket: 'the global one' };
  assert.deepEqual(told, defaults.map(([name, value]) => [code(name), inWords[name] ?? code(value.replace('_', ''))]));
});

/** The delays of so many closes in a row, each right after the next try has opened or failed. */
async function delays(count, { opens = false, code = 1006, ...options } = {}) {
  const world = start({ heartbeat: 'off', ...options });
  const { client, sockets, events } = world;
  const waited = [];
  await pass(0);
  for (let index = 0; index < count; index += 1) {
    if (opens) world.socket.open();
    world.socket.end(code);
    const { delay } = events.last('close');
    waited.push(delay);
    await pass(delay - 0.5);
    assert.equal(sockets.length, index + 1, 'came back too early');
    await pass(0.5);
    assert.equal(sockets.length, index + 2, 'did not come back in time');
  }
  client.close();
  return waited;
}

test('failed tries wait for 1, 2, 4 s and so on, up to the cap', async () => {
  assert.deepEqual(await delays(8), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

test('connections that open and are lost again are no success', async () => {
  assert.deepEqual(await delays(5, { opens: true }), [1000, 2000, 4000, 8000, 16_000]);
  assert.deepEqual(await delays(4, { opens: true, code: 1012 }), [1000, 2000, 4000, 8000]);
});

test('the steps and the cap can be set', async () => {
  assert.deepEqual(await delays(5, { minDelay: 10, maxDelay: 35 }), [10, 20, 35, 35, 35]);
});

test('jitter takes off up to its share, and never adds', async () => {
  assert.deepEqual(await delays(4, { random: () => 0.5 }), [750, 1500, 3000, 6000]);
  assert.deepEqual(await delays(3, { random: () => 0.5, jitter: 1 }), [500, 1000, 2000]);
  assert.deepEqual(await delays(3, { random: () => 0.5, jitter: 0 }), [1000, 2000, 4000]);
  for (const delay of await delays(200, { random: Math.random, maxDelay: 1000 })) {
    assert.ok(delay >= 500 && delay <= 1000, `${delay}`);
  }
});

test('clients that were closed together come back over the whole spread', async () => {
  const seen = [];
  for (const chance of [0, 0.25, 0.75]) {
    const { client, told } = await closedWith(1001, chance, { spread: 8000 });
    seen.push(told.delay);
    client.close();
  }
  assert.deepEqual(seen, [0, 2000, 6000]);
});

test('a stable connection makes the next loss a first one again', async () => {
  const world = start({ heartbeat: 'off' });
  const { client, events } = world;
  await pass(0);
  for (const step of [1000, 2000, 4000, 8000]) {
    world.socket.end(1006);
    await pass(step);
  }
  world.socket.open();
  await pass(9_999);
  world.socket.end(1006);
  assert.equal(events.last('close').delay, 16_000, 'one millisecond short of stable');
  await pass(16_000);
  world.socket.open();
  await pass(10_000);
  world.socket.end(1006);
  assert.equal(events.last('close').delay, 0);
  client.close();
});

test('the application decides about codes of its own', async () => {
  const decide = ({ code }) => ({ 4401: 'stop', 4000: 'now', 1008: 'backoff' })[code];
  for (const [code, delay] of [[4401, null], [4000, 0], [4002, 1000], [1008, 1000], [1009, null]]) {
    const { client, told } = await closedWith(code, 0, { decide });
    assert.equal(told.delay, delay, `${code}`);
    client.close();
  }
});

test('what `decide` is told', async () => {
  const told = [];
  const world = start({ heartbeat: 'off', decide: (closed) => void told.push(closed) });
  await pass(0);
  world.socket.end(1006);
  await pass(1000);
  world.socket.open();
  world.socket.end(4321, 'because');
  assert.deepEqual(told, [
    { code: 1006, reason: '', wasClean: false, opened: false },
    { code: 4321, reason: 'because', wasClean: true, opened: true },
  ]);
  world.client.close();
});

test('after so many tries without a stable connection it gives up', async () => {
  const world = start({ heartbeat: 'off', maxAttempts: 3 });
  const { client, sockets, events } = world;
  await pass(0);
  for (const step of [1000, 2000, 100_000]) {
    world.socket.end(1006);
    await pass(step);
  }
  assert.equal(sockets.length, 3);
  assert.deepEqual(events.of('close').map(({ comeback }) => comeback), ['now', 'now', 'stop']);
  assert.equal(client.state, 'closed');
  client.connect();
  await pass(0);
  assert.equal(sockets.length, 4);
  world.socket.end(1006);
  assert.equal(events.last('close').delay, 1000, 'from the beginning');
  client.close();
});
