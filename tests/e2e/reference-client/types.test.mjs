// The client's types are those of its code, and good for something.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, declarations, files } from './types.mjs';

test('the types are those of the code: `npm run types` writes them', () => {
  assert.deepEqual(files('.d.ts'), declarations());
});

const USE = `
import { afterClose, SidebeatClient, type Comeback } from './sidebeat-client.js';
const client = new SidebeatClient(async (attempt) => new URL(\`wss://host-\${attempt}\`), {
  heartbeat: { ping: () => 'x', isPong: (data) => data === 'y' },
  decide: ({ code, opened }) => (opened && code === 4401 ? 'stop' : undefined),
});
client.addEventListener('open', () => {});
client.addEventListener('message', ({ data }) => console.log(data));
client.addEventListener('pong', ({ rtt }) => rtt.toFixed(1), { once: true });
client.addEventListener('close', ({ code, reason, delay }) => console.log(code + 1, reason.length, (delay ?? 0) + 1));
const sent: boolean = client.send(new Uint8Array(1));
const comeback: Comeback = afterClose(1006);
console.log(sent, comeback, client.state, client.rtt?.toFixed(1));
client.close();
client.connect();
`;

const MISUSES = [
  `new SidebeatClient('ws://a', { pingIntervall: 1 });`,
  `new SidebeatClient('ws://a', { decide: () => 'maybe' });`,
  `client.addEventListener('closed', () => {});`,
  `client.addEventListener('close', ({ delay }) => delay + 1);`,
  `client.send({});`,
];

test('the types let a right use pass, and stop each wrong one', () => {
  compile(USE + MISUSES.map((line) => `// @ts-expect-error\n${line}\n`).join(''));
});
