// The client in Chromium, through the real sidecar, to a backend that does what it is asked.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { afterClose } from '../../../deploy/client/sidebeat-client.js';
import { Chromium } from './chromium.mjs';
import { Backend, Sidecar } from './servers.mjs';

const browser = await Chromium.start();
after(() => browser.end());

/** Comes back within milliseconds, and treats every connection as stable. */
const QUICK = { minDelay: 100, maxDelay: 300, jitter: 0, spread: 100, stableAfter: 0 };
const NEVER = 3_600_000;

/** Runs a test with a page of its own, a backend, and a way to start sidecars, all of which end with it. */
function scene(name, play) {
  test(name, { timeout: 90_000 }, async (t) => {
    const backend = await Backend.start();
    t.after(() => backend.end());
    const sidecar = async (settings) => {
      const started = await Sidecar.start(backend, settings);
      t.after(() => started.end());
      return started;
    };
    const page = await browser.page('empty');
    await play({ backend, sidecar, page });
    assert.equal(page.told.count({ event: 'exception' }), 0);
  });
}

scene('heartbeats end at the sidecar, and measure the way to it', async ({ backend, sidecar, page }) => {
  const proxy = await sidecar();
  await page.client('a', [proxy.url], { pingInterval: 100 });
  const pongs = await page.told.some(5, { event: 'pong' });
  for (const { rtt } of pongs) assert.ok(rtt > 0 && rtt < 5_000, `${rtt}`);
  assert.equal(await page.send('a', { type: 'echo' }), true);
  await page.told.next({ event: 'message', data: '{"type":"echo"}' });
  assert.deepEqual(backend.told.all.filter(({ event }) => event === 'message').map(({ text }) => text), ['{"type":"echo"}']);
  await page.run(() => globalThis.clients.a.close());
  const { app_heartbeats, client_close } = await proxy.told.next({ event: 'connection_closed', reason: 'client_closed' });
  assert.ok(app_heartbeats >= 5);
  assert.equal(client_close.received.code, 1000);
  assert.equal(page.told.count({ event: 'message' }), 1);
});

scene('what counts as activity, and the notice before an idle close', async ({ backend, sidecar, page }) => {
  const idle_notice = { before: '3s', text: '{"type":"idle"}' };
  const client = { idle_time: '6s', activity: 'message', idle_notice };
  const proxy = await sidecar({
    heartbeat: { check_interval: '100ms', client, app: [] },
    routes: [{ match: { path: '/answered-here' }, heartbeat: { app: [{ preset: 'json' }] } }],
  });
  const here = `${proxy.url}/answered-here`;
  await page.client('backend answers', [`${proxy.url}/there`], { pingInterval: 3_000 }); // half of idle_time
  await page.client('only pings', [here], { pingInterval: 500, spread: NEVER });
  await page.client('still there', [here], { pingInterval: 500 });
  await page.told.next({ client: 'still there', event: 'message', data: '{"type":"idle"}' });
  await page.send('still there', { type: 'here' });
  await page.told.some(1, { client: 'only pings', event: 'message', data: '{"type":"idle"}' });
  const [closed] = await page.told.some(1, { client: 'only pings', event: 'close' });
  assert.deepEqual([closed.code, closed.reason, closed.comeback], [1001, 'idle timeout', 'spread']);
  await page.told.some(2, { client: 'backend answers', event: 'pong' });
  assert.ok(page.told.count({ client: 'only pings', event: 'pong' }) > 2, 'it did ping');
  for (const name of ['still there', 'backend answers']) assert.equal(page.told.count({ client: name, event: 'close' }), 0);
  assert.ok(backend.told.count({ path: '/there', event: 'message' }) >= 2);
});

scene("the sidecar's own question is answered", async ({ sidecar, page }) => {
  const app_ping = { text: '{"type":"ping"}', expect: { json: { type: 'pong' } } };
  const client = { app_ping, ping_interval: '300ms', pong_timeout: '4s', missed_pongs: 1 };
  const proxy = await sidecar({ heartbeat: { check_interval: '100ms', client } });
  await page.client('answers', [proxy.url], { pingInterval: NEVER });
  await page.client('silent', [proxy.url], { heartbeat: 'off', spread: NEVER });
  const { code, reason } = await page.told.next({ client: 'silent', event: 'close' });
  assert.deepEqual([code, reason], [1001, 'ping timeout']);
  assert.ok(page.told.count({ client: 'silent', event: 'message', data: app_ping.text }) > 0);
  assert.equal(page.told.count({ client: 'answers', event: 'close' }), 0);
  assert.equal(page.told.count({ client: 'answers', event: 'message' }), 0);
  await page.run(() => globalThis.clients.answers.close());
  const { pongs_received } = await proxy.told.next({ event: 'connection_closed', reason: 'client_closed' });
  assert.ok(pongs_received > 0);
});

scene('a sidecar that hangs is noticed, and found again when it goes on', async ({ sidecar, page }) => {
  const proxy = await sidecar();
  const times = { pingInterval: 300, pongTimeout: 4_000, connectTimeout: 2_000 };
  await page.client('a', [proxy.url], { ...QUICK, ...times });
  await page.told.next({ event: 'pong' });
  proxy.signal('SIGSTOP');
  const lost = await page.told.next({ event: 'close' });
  assert.deepEqual([lost.code, lost.reason, lost.opened], [1006, 'no pong in 4000 ms', true]);
  const refused = await page.told.next({ event: 'close' });
  assert.deepEqual([refused.code, refused.reason, refused.opened], [1006, 'no connection in 2000 ms', false]);
  proxy.signal('SIGCONT');
  await page.told.next({ event: 'open' });
  await page.told.next({ event: 'pong' });
  const record = await proxy.told.next({ event: 'connection_closed', reason: 'client_closed' });
  assert.deepEqual(record.client_close.received, { code: 3008, reason: 'no pong in 4000 ms' });
});

scene('a sidecar that hangs is left for another', async ({ sidecar, page }) => {
  const [first, second] = [await sidecar(), await sidecar()];
  const times = { pingInterval: 300, pongTimeout: 4_000, stableAfter: NEVER };
  await page.client('a', [first.url, second.url], { ...QUICK, ...times });
  await page.told.next({ event: 'pong' });
  first.signal('SIGSTOP');
  await page.told.next({ event: 'close', reason: 'no pong in 4000 ms' });
  await page.told.next({ event: 'open' });
  await page.told.next({ event: 'pong' });
  await second.told.next({ event: 'connection_opened' });
});

scene('a drain: told so, one after the other, and back at the next sidecar', async ({ sidecar, page }) => {
  const count = 6;
  const first = await sidecar({ drain: { spread: '4s' } });
  for (let index = 0; index < count; index += 1) {
    await page.client(`client ${index}`, [first.url], { ...QUICK, spread: 300, pingInterval: 500 });
  }
  await page.told.some(count, { event: 'open' });
  first.signal('SIGTERM');
  await first.told.next({ event: 'connection_closed' }); // and nobody listens there any more
  const second = await sidecar({ listen: first.address });
  const closes = await page.told.some(count, { event: 'close', opened: true });
  for (const { code, reason, wasClean, comeback, delay } of closes) {
    assert.deepEqual([code, reason, wasClean, comeback], [1001, 'server is restarting', true, 'spread']);
    assert.ok(delay >= 0 && delay < 300, `${delay}`);
  }
  assert.equal(new Set(closes.map(({ client }) => client)).size, count);
  assert.ok(closes.at(-1).at - closes[0].at > 300, 'all at once');
  assert.ok(new Set(closes.map(({ delay }) => delay)).size > 1, 'all after the same time');
  await page.told.some(2 * count, { event: 'open' });
  await second.told.some(count, { event: 'connection_opened' });
  assert.deepEqual(await first.exited, [0, null]);
});

scene('who comes back after which code', async ({ backend, sidecar, page }) => {
  const proxy = await sidecar();
  const sent = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000, 4999];
  const ways = sent.map((code) => ({ code, expected: code, reason: `because ${code}`, ask: 'close' }));
  ways.push({ expected: 1005, reason: '', ask: 'close' });
  ways.push({ expected: 1014, reason: 'backend connection lost', ask: 'drop' });
  await Promise.all(
    ways.map(async ({ code, reason, expected, ask }, index) => {
      const name = `/${index}`;
      await page.client(name, [proxy.url + name], { ...QUICK, heartbeat: 'off' });
      await page.told.some(1, { client: name, event: 'open' });
      await page.send(name, { type: ask, code, reason: code && reason });
      const [told] = await page.told.some(1, { client: name, event: 'close' });
      assert.deepEqual([told.code, told.reason, told.comeback], [expected, reason, afterClose(expected)]);
      if (told.comeback !== 'stop') await page.told.some(2, { client: name, event: 'open' });
    }),
  );
  for (const [index, { expected }] of ways.entries()) {
    const stays = afterClose(expected) === 'stop';
    assert.equal(backend.told.count({ event: 'asked', path: `/${index}` }), stays ? 1 : 2, `${expected}`);
    assert.equal(await page.state(`/${index}`), stays ? 'closed' : 'open', `${expected}`);
  }
});

scene('a refused opening is tried again, less and less often', async ({ backend, sidecar, page }) => {
  const proxy = await sidecar();
  await page.client('a', [`${proxy.url}/forbidden`], QUICK);
  const closes = await page.told.some(4, { event: 'close' });
  for (const { code, opened } of closes) assert.deepEqual([code, opened], [1006, false]);
  assert.deepEqual(closes.map(({ delay }) => delay).slice(0, 4), [100, 200, 300, 300]);
  await backend.told.some(4, { event: 'asked', path: '/forbidden' });
});

scene('offline and online again', async ({ sidecar, page }) => {
  const proxy = await sidecar();
  const times = { pingInterval: 300, pongTimeout: 4_000, stableAfter: 0, jitter: 0, minDelay: NEVER, maxDelay: NEVER };
  await page.client('a', [proxy.url], times);
  await page.told.next({ event: 'pong' });
  await page.offline(true);
  const lost = await page.told.next({ event: 'close' });
  assert.deepEqual([lost.code, lost.opened, lost.delay], [1006, true, 0]);
  const failed = await page.told.next({ event: 'close' });
  assert.deepEqual([failed.code, failed.opened, failed.delay], [1006, false, NEVER]);
  await page.offline(false); // and nothing but `online` ends the wait
  await page.told.next({ event: 'open' });
  await page.told.next({ event: 'pong' });
});

scene('a hidden page keeps its connection, and asks when it is shown', async ({ sidecar, page }) => {
  const proxy = await sidecar();
  await page.client('a', [proxy.url], { pingInterval: 300 });
  await page.client('b', [proxy.url], { pingInterval: NEVER });
  await page.told.some(2, { event: 'open' });
  await page.hide();
  assert.equal(await page.run(() => document.visibilityState), 'hidden');
  const before = page.told.count({ client: 'a', event: 'pong' });
  await page.told.some(before + 3, { client: 'a', event: 'pong' });
  assert.equal(page.told.count({ client: 'b', event: 'pong' }), 0);
  await page.show();
  await page.told.next({ client: 'b', event: 'pong' });
  assert.equal(page.told.count({ event: 'close' }), 0);
});

scene('a page that was too busy for its timers asks again, and loses nothing', async ({ sidecar, page }) => {
  const proxy = await sidecar();
  await page.client('a', [proxy.url], { pingInterval: 300, pongTimeout: 4_000 });
  await page.told.next({ event: 'pong' });
  proxy.signal('SIGSTOP'); // no pong can come while the page is busy
  await page.run(() => {
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      WebSocket.prototype.send = send;
      this.send(data);
      queueMicrotask(() => {
        const until = performance.now() + 5_200;
        while (performance.now() < until);
        setTimeout(() => globalThis.tell('{"event":"awake"}'), 100); // when the late timers have run
      });
    };
  });
  await page.told.next({ event: 'awake' });
  proxy.signal('SIGCONT');
  await page.told.next({ event: 'pong' });
  assert.equal(page.told.count({ event: 'close' }), 0);
});

scene('a frozen page, whose sockets Chromium closes, is back when it is thawed', async ({ sidecar, page }) => {
  const proxy = await sidecar();
  await page.client('a', [proxy.url], { ...QUICK, pingInterval: 300 });
  await page.told.next({ event: 'pong' });
  await page.run(() => document.addEventListener('freeze', () => globalThis.tell('{"event":"freeze"}')));
  await page.ask('Page.setWebLifecycleState', { state: 'frozen' });
  await page.told.next({ event: 'freeze' });
  await page.ask('Page.setWebLifecycleState', { state: 'active' });
  const { code, opened } = await page.told.next({ event: 'close' });
  assert.deepEqual([code, opened], [1006, true]);
  await page.told.next({ event: 'open' });
  await page.told.next({ event: 'pong' });
});

scene('the page to try it with', async ({ sidecar }) => {
  const proxy = await sidecar();
  const page = await browser.page(`index.html?url=${encodeURIComponent(proxy.url)}`);
  await page.shows('#state', 'open');
  const fill = (form, name, value) => {
    document.querySelector(form).elements[name].value = value;
    document.querySelector(form).requestSubmit();
  };
  await page.run(fill, '#where', 'period', '0.2');
  await page.shows('#rtt', ' ms');
  await page.run(fill, '#say', 'text', '{"type":"echo","hello":1}');
  await page.shows('#log', '← {"type":"echo","hello":1}');
  await page.run(fill, '#say', 'text', '{"type":"close","code":1008,"reason":"enough"}');
  await page.shows('#closed', '1008 enough');
  await page.shows('#next', 'none');
  await page.shows('#state', 'closed');
  await page.run(fill, '#say', 'text', '{}');
  await page.shows('#log', 'not sent: not connected');
  assert.equal(page.told.count({ event: 'exception' }), 0);
  const hosts = page.told.all.filter(({ event }) => event === 'request').map(({ url }) => new URL(url));
  for (const { protocol, hostname } of hosts) assert.ok(protocol === 'data:' || hostname === '127.0.0.1', hostname);
});
