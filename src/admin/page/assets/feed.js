// What happens, as it happens: the newest events of the API's stream.

import { call, listen } from './api.js';
import { byId, el, reconcile, setText } from './dom.js';
import { clock, number } from './format.js';
import { tooltip, who } from './reasons.js';

const TYPES = [
  'connection_closed', 'handshake_failed', 'config_reloaded', 'config_rejected', 'draining', 'drained', 'upstream_down', 'upstream_up',
];
/** What is shown. */
const KEPT = 12;
/** Drawn no more often than this, however much happens. */
const DRAW_MS = 500;
/** A stream that broke is not asked for again sooner. */
const AGAIN_MS = 5000;

const WORDS = {
  config_reloaded: () => 'the configuration was reloaded',
  config_rejected: () => 'a changed configuration was rejected',
  draining: (data) => `draining, ${data.trigger}`,
  drained: () => 'drained',
  upstream_down: (data) => `backend ${data.upstream ?? data.address ?? ''} down`,
  upstream_up: (data) => `backend ${data.upstream ?? data.address ?? ''} up`,
  dropped: (data) => `${number(data.count)} events came too fast to be shown`,
};

export class Feed {
  /** `open(record)` shows a closing record, `happened(name)` is told of everything. */
  constructor(open, happened) {
    Object.assign(this, { open, happened, events: [], count: 0, running: null, endedAt: 0 });
    this.list = byId('feed');
  }

  /** Listens, unless it does already. */
  start() {
    if (this.running || Date.now() - this.endedAt < AGAIN_MS) return;
    const running = this.running = new AbortController();
    const opened = () => this.fill(running);
    listen(TYPES, { opened, tell: (name, data) => this.take(name, data) }, running.signal)
      .catch(() => {}) // the page's own calls tell what is wrong
      .finally(() => {
        if (this.running !== running) return;
        this.running = null;
        this.endedAt = Date.now();
      });
  }

  stop() {
    this.running?.abort();
    this.running = null;
  }

  /** Fills in the closings that nobody listened to. */
  async fill(running) {
    const { closed } = await call('closed', { limit: KEPT }, running).catch(() => ({ closed: [] }));
    for (const record of closed) this.add('connection_closed', record);
  }

  take(name, data) {
    this.add(name, data);
    this.happened(name);
  }

  add(name, data) {
    const id = name === 'connection_closed' ? data.conn : `event ${(this.count += 1)}`;
    if (this.events.some((event) => event.id === id)) return;
    this.events.push({ name, data, id, at: data.timestamp ? new Date(data.timestamp) : new Date() });
    this.events.sort((a, b) => b.at - a.at);
    this.events.length = Math.min(this.events.length, KEPT);
    this.drawing ??= setTimeout(() => this.draw(), DRAW_MS);
  }

  draw() {
    this.drawing = null;
    reconcile(this.list, this.events, (event) => event.id, (event) => this.item(event), () => {});
  }

  item({ name, data, at }) {
    const time = el('time', { datetime: at.toISOString(), title: at.toISOString() }, clock(at));
    if (name === 'connection_closed') {
      const button = el('button', { type: 'button', class: 'open', title: tooltip(data.reason), onclick: () => this.open(data) },
        el('code', {}, data.reason));
      return el('li', {}, time, ' ', button, el('span', { class: 'under' }, data.client));
    }
    if (name === 'handshake_failed') {
      const text = `by ${who(data.initiator)}, ${data.client}`;
      return el('li', { title: tooltip(data.reason) }, time, ' ', el('code', {}, data.reason), el('span', { class: 'under' }, text));
    }
    const text = el('span', { class: 'words' });
    setText(text, WORDS[name]?.(data) ?? name);
    return el('li', { class: 'event' }, time, ' ', text);
  }
}
