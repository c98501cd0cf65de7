// Pings, pongs, and when silence means that a connection is dead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, elapsed, freeze, pass } from './fake.mjs';

/** It was found dead just now, and the next try is under way or due at once. */
function assertDead({ events, sockets }) {
  const { code, reason, opened, comeback, wasClean } = events.last('close');
  assert.deepEqual({ code, opened, comeback, wasClean }, { code: 1006, opened: true, comeback: 'now', wasClean: false });
  assert.match(reason, /no pong in \d+ ms/);
  assert.deepEqual(sockets[0].closedWith, { code: 3008, reason });
}

test('a ping every period, with the time of the clock', async () => {
  const { client, socket } = await connected();
  await pass(24_999);
  assert.equal(socket.sent.length, 0);
  const before = Date.now();
  await pass(1);
  const { type, timestamp } = JSON.parse(socket.sent[0]);
  assert.equal(type, 'ping');
  assert.ok(timestamp >= before && timestamp <= Date.now());
  socket.pong();
  await pass(25_000);
  assert.equal(socket.pings, 2);
  client.close();
});

test('a ping without a pong: dead after the timeout, closed, and back', async () => {
  const world = await connected();
  await pass(25_000 + 4_999);
  assert.equal(world.client.state, 'open');
  await pass(1);
  assertDead(world);
  assert.equal(world.sockets.length, 2);
  assert.equal(world.socket.madeAt, elapsed());
  world.client.close();
});

test('times can be set', async () => {
  const world = await connected({ pingInterval: 300, pongTimeout: 100 });
  await pass(300);
  world.socket.pong();
  await pass(300 + 99);
  assert.equal(world.client.state, 'open');
  await pass(1);
  assertDead(world);
  world.client.close();
});

test('a dead connection is not waited for, and what it still says is not heard', async () => {
  const { client, events, socket } = await connected();
  await pass(30_000);
  socket.message('too late');
  socket.end(1000);
  assert.deepEqual(events.of('message'), []);
  assert.equal(events.of('close').length, 1);
  assert.equal(client.state, 'connecting');
  client.close();
});

test('any message shows that it lives', async () => {
  const { client, events, socket } = await connected();
  await pass(25_000 + 4_999);
  socket.message('news');
  await pass(5_000);
  assert.equal(client.state, 'open');
  assert.deepEqual(events.of('message').map(({ data }) => data), ['news']);
  client.close();
});

test('the round trip is measured from ping to pong', async () => {
  const { client, events, socket } = await connected();
  assert.equal(client.rtt, undefined);
  await pass(25_000);
  await pass(40);
  socket.message('news'); // is no pong
  await pass(3);
  socket.pong();
  assert.equal(client.rtt, 43);
  assert.deepEqual(events.of('pong').map(({ rtt }) => rtt), [43]);
  assert.deepEqual(events.of('message').map(({ data }) => data), ['news']);
  client.close();
});

test('a pong that was not asked for measures nothing, and the pong of an older ping neither', async () => {
  const { client, events, socket } = await connected();
  socket.pong();
  await pass(25_000 + 4_000);
  socket.message('lives');
  await pass(21_000 + 500);
  assert.equal(socket.pings, 2);
  socket.pong(); // to the first
  assert.deepEqual(events.of('pong'), []);
  await pass(10);
  socket.pong();
  assert.deepEqual(events.of('pong').map(({ rtt }) => rtt), [510]);
  client.close();
});

test('a pong timer that was held back asks once more before it believes', async () => {
  const { client, events, socket } = await connected();
  await pass(25_000);
  await freeze(3_600_000);
  await pass(0);
  assert.equal(client.state, 'open');
  assert.equal(socket.pings, 2);
  await pass(4_999);
  socket.pong(); // to the first: it came while the page was frozen
  await pass(10_000);
  assert.equal(client.state, 'open');
  assert.equal(events.of('close').length, 0);
  client.close();
});

test('each time that the page was frozen it asks once more', async () => {
  const { client, socket } = await connected();
  for (let time = 0; time < 3; time += 1) {
    await pass(25_000);
    await freeze(3_600_000);
    await pass(0);
    assert.equal(client.state, 'open');
    socket.pong();
  }
  client.close();
});

test('a connection that died while the page was frozen is found dead afterwards', async () => {
  const world = await connected();
  await pass(25_000);
  await freeze(3_600_000);
  await pass(4_999);
  assert.equal(world.client.state, 'open');
  await pass(1);
  assertDead(world);
  world.client.close();
});

test('timers that are always late do not keep a dead connection for ever', async () => {
  const world = await connected();
  for (let minute = 0; minute < 3; minute += 1) {
    await freeze(60_000);
    await pass(0);
  }
  assertDead(world);
  world.client.close();
});

test('a timer a little late, as in any busy page, is not taken for a frozen one', async () => {
  const world = await connected();
  await pass(25_000);
  await freeze(5_900);
  await pass(0);
  assertDead(world);
  world.client.close();
});

test('a message wakes a page whose ping is overdue', async () => {
  const { client, socket } = await connected();
  await freeze(26_000);
  socket.message('news');
  assert.equal(socket.pings, 0, 'not overdue yet');
  await freeze(1);
  socket.message('you will be closed in 15 s');
  assert.equal(socket.pings, 1);
  socket.pong();
  await pass(0);
  assert.equal(socket.pings, 1, 'the timer was set anew');
  client.close();
});

test('a ping behind an upload waits for it as long as bytes leave', async () => {
  const world = await connected();
  const { client, socket } = world;
  socket.stuck = true;
  client.send('x'.repeat(10_000));
  await pass(25_000);
  for (let second = 0; second < 4; second += 1) {
    await pass(4_000);
    socket.bufferedAmount -= 2_000;
    await pass(1_000);
    assert.equal(client.state, 'open');
  }
  socket.bufferedAmount = 0; // the ping has left, its pong may still come
  await pass(5_000);
  assert.equal(client.state, 'open');
  await pass(5_000);
  assertDead(world);
  client.close();
});

test('an upload that stands still is no excuse', async () => {
  const world = await connected();
  world.socket.stuck = true;
  world.client.send('x'.repeat(10_000));
  await pass(30_000);
  assertDead(world);
  world.client.close();
});

test('bytes sent after the ping are no excuse either', async () => {
  const world = await connected();
  world.socket.stuck = true;
  await pass(25_000);
  world.client.send('x'.repeat(10_000));
  await pass(4_000);
  world.socket.bufferedAmount -= 5_000;
  await pass(1_000);
  assertDead(world);
  world.client.close();
});

test('a heartbeat in plain text', async () => {
  const { client, events, socket } = await connected({ heartbeat: 'text' });
  await pass(25_000);
  assert.deepEqual(socket.sent, ['ping']);
  socket.message('pong');
  socket.message('ping');
  assert.deepEqual(socket.sent, ['ping', 'pong']);
  assert.equal(events.of('pong').length, 1);
  assert.deepEqual(events.of('message'), []);
  client.close();
});

test("a heartbeat of one's own", async () => {
  const heartbeat = { ping: () => new Uint8Array([0xc0, 0]).buffer, isPong: (data) => data instanceof ArrayBuffer };
  const { client, events, socket } = await connected({ heartbeat });
  await pass(25_000);
  assert.equal(socket.sent[0].byteLength, 2);
  socket.message(new ArrayBuffer(2));
  socket.message('{"type":"ping"}');
  assert.equal(events.of('pong').length, 1);
  assert.equal(events.of('message').length, 1);
  client.close();
});

test('no heartbeat', async () => {
  const { client, events, socket } = await connected({ heartbeat: 'off' });
  await pass(1_000_000);
  assert.deepEqual(socket.sent, []);
  socket.message('{"type":"pong"}');
  assert.equal(events.of('message').length, 1);
  assert.equal(client.state, 'open');
  client.close();
});

test("the server's own question is answered", async () => {
  const { client, events, socket } = await connected();
  socket.message('{"type":"ping","message":"are you there"}');
  assert.equal(JSON.parse(socket.sent[0]).type, 'pong');
  assert.deepEqual(events.of('message'), []);
  client.close();
});

test('what only looks like a heartbeat reaches the application', async () => {
  const { client, events, socket } = await connected();
  const others = [
    '{"type":"pongs"}',
    '{"kind":"pong"}',
    '["pong"]',
    'null',
    '"type"',
    '{"type":"pong"',
    `{"type":"pong","pad":"${'x'.repeat(1024)}"}`,
    '{"data":{"type":"ping"}}',
    '',
    new ArrayBuffer(4),
  ];
  for (const data of others) socket.message(data);
  assert.deepEqual(events.of('message').map(({ data }) => data), others);
  assert.deepEqual(socket.sent, []);
  client.close();
});

test('the end stops the heartbeat', async () => {
  const { client, socket } = await connected();
  await pass(25_000);
  client.close();
  await pass(100_000);
  assert.equal(socket.sent.length, 1);
});
