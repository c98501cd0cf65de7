// The client in Node, with the library `ws`, through the real sidecar.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { SidebeatClient } from '../../../deploy/client/sidebeat-client.js';
import { Backend, Sidecar } from './servers.mjs';
import { Told } from './told.mjs';

const QUICK = { WebSocket, pingInterval: 200, minDelay: 100, maxDelay: 300, spread: 100 };

function tell(client) {
  const told = new Told();
  for (const event of ['open', 'message', 'pong', 'close']) {
    client.addEventListener(event, ({ data, rtt, code, reason, opened, delay }) =>
      told.add({ event, data, rtt, code, reason, opened, delay }),
    );
  }
  return told;
}

test('through the sidecar: heartbeats, messages, another sidecar after a drain, and the end', async (t) => {
  const backend = await Backend.start();
  t.after(() => backend.end());
  const sidecars = [await Sidecar.start(backend, { drain: { spread: '0s' } }), await Sidecar.start(backend)];
  for (const sidecar of sidecars) t.after(() => sidecar.end());

  const client = new SidebeatClient((attempt) => sidecars[attempt % 2].url, QUICK);
  t.after(() => client.close());
  const told = tell(client);
  await told.some(2, { event: 'pong' });
  assert.ok(client.rtt > 0);
  assert.equal(client.send('{"type":"echo"}'), true);
  await told.next({ event: 'message', data: '{"type":"echo"}' });
  assert.equal(backend.told.count({ event: 'message' }), 1);

  sidecars[0].signal('SIGTERM');
  const { code, reason } = await told.next({ event: 'close' });
  assert.deepEqual([code, reason], [1001, 'server is restarting']);
  await told.next({ event: 'open' });
  await sidecars[1].told.next({ event: 'connection_opened' });

  client.close(4001, 'bye');
  assert.deepEqual(await told.next({ event: 'close', code: 4001 }), told.all.at(-1));
  const { client_close } = await sidecars[1].told.next({ event: 'connection_closed', reason: 'client_closed' });
  assert.deepEqual(client_close.received, { code: 4001, reason: 'bye' });
});

test('a sidecar that is not there yet', async (t) => {
  const backend = await Backend.start();
  t.after(() => backend.end());
  const first = await Sidecar.start(backend);
  await first.end();
  const client = new SidebeatClient(first.url, QUICK);
  t.after(() => client.close());
  const told = tell(client);
  const { code, opened } = await told.next({ event: 'close' });
  assert.deepEqual([code, opened], [1006, false]);
  const second = await Sidecar.start(backend, { listen: first.address });
  t.after(() => second.end());
  await told.next({ event: 'open' });
});
