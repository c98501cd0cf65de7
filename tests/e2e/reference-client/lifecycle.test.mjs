// Opening, sending, ending, and what the page around the client tells it.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { SidebeatClient } from '../../../deploy/client/sidebeat-client.js';
import { connected, pass, start } from './fake.mjs';

const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.document = Object.assign(new EventTarget(), { visibilityState: 'visible' });

test('it connects, and says so', async () => {
  const { client, events, socket } = await connected({ protocols: ['chat', 'v2'] }, 'ws://a/chat');
  assert.equal(socket.url, 'ws://a/chat');
  assert.deepEqual(socket.protocols, ['chat', 'v2']);
  assert.equal(socket.binaryType, 'arraybuffer');
  assert.equal(client.state, 'open');
  assert.deepEqual(events.map(({ type }) => type), ['open']);
  client.close();
});

test('what is sent while there is no connection is not sent, and not kept', async () => {
  const world = start();
  const { client, sockets } = world;
  assert.equal(client.send('early'), false);
  await pass(0);
  assert.equal(client.send('connecting'), false);
  world.socket.open();
  assert.equal(client.send('now'), true);
  world.socket.readyState = 2;
  assert.equal(client.send('the server is closing'), false);
  world.socket.end(1006);
  assert.equal(client.send('waiting'), false);
  await pass(1_000);
  world.socket.open();
  assert.deepEqual(sockets.map(({ sent }) => sent), [['now'], []]);
  client.close();
  assert.equal(client.send('closed'), false);
});

test('an opening that hangs is given up, and tried again', async () => {
  const { client, events, sockets } = start();
  await pass(9_999);
  assert.equal(client.state, 'connecting');
  await pass(1);
  const { code, reason, opened, delay } = events.last('close');
  assert.deepEqual([code, reason, opened, delay], [1006, 'no connection in 10000 ms', false, 1000]);
  assert.ok(sockets[0].closedWith);
  sockets[0].open();
  assert.deepEqual(events.of('open'), []);
  await pass(1_000);
  assert.equal(sockets.length, 2);
  client.close();
});

test('a URL function is asked before each try, with the number of the try', async () => {
  const asked = [];
  const world = start({}, (attempt) => (asked.push(attempt), `ws://host-${attempt}`));
  for (let index = 0; index < 3; index += 1) {
    await pass(5_000);
    world.socket.end(1006);
  }
  await pass(5_000);
  assert.equal(world.socket.url, 'ws://host-3');
  world.socket.open();
  await pass(10_000);
  world.socket.end(1006);
  await pass(0);
  assert.deepEqual(asked, [0, 1, 2, 3, 0]);
  world.client.close();
});

test('a URL may take its time, but not for ever', async () => {
  let answer;
  const world = start({}, () => new Promise((resolve) => (answer = resolve)));
  const { client, events, sockets } = world;
  await pass(9_000);
  answer('ws://late');
  await pass(0);
  assert.equal(world.socket.url, 'ws://late');
  world.socket.end(1006);
  await pass(1_000 + 10_000);
  assert.equal(events.last('close').reason, 'no connection in 10000 ms');
  answer('ws://much-too-late');
  await pass(0);
  assert.equal(sockets.length, 1);
  client.close();
});

test('a URL function that fails is a failed try', async () => {
  const { client, events } = start({}, async () => {
    throw new Error('no token');
  });
  await pass(0);
  assert.deepEqual([events.last('close').reason, events.last('close').delay], ['no URL: Error: no token', 1000]);
  client.close();
});

test('a URL function that fails after the end is not heard', async () => {
  let fail;
  const { client, events } = start({}, () => new Promise((_, reject) => (fail = reject)));
  await pass(0);
  client.close();
  fail(new Error('no token'));
  await pass(100_000);
  assert.equal(events.length, 1);
});

test('something that is no URL is not tried again', async () => {
  const { client, events } = start({}, 'gopher://a');
  await pass(0);
  assert.match(events.last('close').reason, /gopher/);
  assert.equal(events.last('close').delay, null);
  assert.equal(client.state, 'closed');
});

test('without a class for WebSockets it says what to do', () => {
  assert.throws(() => new SidebeatClient('ws://a', { WebSocket: undefined }), /Node below 22/);
});

test('close ends it for good, and tells the server', async () => {
  const { client, events, sockets, socket } = await connected();
  client.close(4001, 'bye');
  assert.deepEqual(socket.closedWith, { code: 4001, reason: 'bye' });
  const { code, reason, delay, comeback, opened } = events.last('close');
  assert.deepEqual([code, reason, delay, comeback, opened], [4001, 'bye', null, 'stop', true]);
  socket.message('late');
  socket.end(1006);
  client.close();
  await pass(100_000);
  assert.deepEqual(events.map(({ type }) => type), ['open', 'close']);
  assert.equal(sockets.length, 1);
});

test('close while connecting, and while waiting', async () => {
  for (const state of ['connecting', 'waiting']) {
    const { client, events, sockets } = start();
    await pass(0);
    if (state === 'waiting') sockets[0].end(1006);
    assert.equal(client.state, state);
    client.close();
    assert.equal(events.last('close').delay, null);
    await pass(100_000);
    assert.equal(sockets.length, 1);
    assert.equal(events.of('close').length, state === 'waiting' ? 2 : 1);
  }
});

test('closed before it began, it never connects', async () => {
  const { client, sockets } = start();
  client.close();
  await pass(100_000);
  assert.equal(sockets.length, 0);
});

test('connect starts anew after the end, at once while waiting, and does nothing while connected', async () => {
  const { client, sockets } = await connected();
  client.connect();
  await pass(0);
  assert.equal(sockets.length, 1);
  sockets[0].end(1008);
  assert.equal(client.state, 'closed');
  client.connect();
  await pass(0);
  sockets[1].end(1006);
  assert.equal(client.state, 'waiting');
  client.connect();
  await pass(0);
  assert.equal(sockets.length, 3);
  sockets[2].open();
  await pass(24_000);
  assert.equal(sockets.length, 3, 'the timer of the wait is gone');
  client.close();
});

test('a listener may close or connect', async () => {
  const world = start();
  const { client, sockets, events } = world;
  client.addEventListener('open', () => client.close());
  await pass(0);
  world.socket.open();
  assert.equal(client.state, 'closed');
  client.addEventListener('close', () => client.connect(), { once: true });
  client.connect();
  await pass(0);
  world.socket.end(1008);
  await pass(0);
  assert.equal(sockets.length, 3);
  client.close();
  assert.equal(events.of('close').length, 3);
});

test('a `decide` that returns nonsense ends the client, and says so', async () => {
  const { client, socket } = await connected({ decide: () => 'maybe' });
  assert.throws(() => socket.onclose({ code: 1006, reason: '', wasClean: false }), /maybe/);
  assert.equal(client.state, 'closed');
  assert.equal(client.send('x'), false);
});

const SIGNS = {
  online: () => page.dispatchEvent(new Event('online')),
  resume: () => document.dispatchEvent(new Event('resume')),
  visible: () => document.dispatchEvent(new Event('visibilitychange')),
};

test('at a sign of the page it asks at once, and comes back at once', async () => {
  for (const [name, sign] of Object.entries(SIGNS)) {
    const world = await connected();
    const { client, events, sockets } = world;
    await pass(9_000);
    sign();
    assert.equal(world.socket.pings, 1, name);
    sign();
    assert.equal(world.socket.pings, 1, 'one question at a time');
    await pass(5_000);
    assert.match(events.last('close').reason, /no pong/);
    await pass(0);
    world.socket.end(1006);
    assert.equal(client.state, 'waiting');
    sign();
    await pass(0);
    assert.equal(sockets.length, 3, name);
    world.socket.end(1006);
    assert.equal(events.last('close').delay, 2000, 'the steps go on');
    client.close();
  }
});

test('no sign of the page brings back what has ended', async () => {
  for (const [name, sign] of Object.entries(SIGNS)) {
    const { client, sockets } = await connected();
    sockets[0].end(1008);
    sign();
    await pass(100_000);
    assert.equal(sockets.length, 1, name);
    assert.equal(client.state, 'closed');
  }
});

test('a client that has ended listens to the page no more', async () => {
  const listeners = () => getEventListeners(page, 'online').length + getEventListeners(document, 'resume').length;
  const before = listeners();
  const { client, sockets } = await connected();
  assert.equal(listeners(), before + 2);
  sockets[0].end(1008);
  assert.equal(listeners(), before);
  client.connect();
  assert.equal(listeners(), before + 2);
  client.close();
  assert.equal(listeners(), before);
});

test('a page that is being hidden is no reason', async () => {
  const { client, socket } = await connected();
  document.visibilityState = 'hidden';
  SIGNS.visible();
  document.visibilityState = 'visible';
  assert.equal(socket.sent.length, 0);
  client.close();
});
