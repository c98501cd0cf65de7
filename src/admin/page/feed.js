// What happens, as it happens: the newest events of the API's stream.

import { listen } from './api.js';
import { byId, el, reconcile, setText } from './dom.js';
import { clock, number } from './format.js';
import { tooltip, who } from './reasons.js';

const TYPES = [
  'connection_closed', 'handshake_failed', 'config_reloaded', 'config_rejected', 'draining', 'drained', 'upstream_down', 'upstream_up',
];
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
    listen(TYPES, (name, data) => this.take(name, data), running.signal)
      .catch(() => {}) // the page's own calls tell what is wrong
      .finally(() => {
        this.endedAt = Date.now();
        if (this.running === running) this.running = null;
      });
  }

  stop() {
    this.running?.abort();
    this.running = null;
    this.endedAt = 0;
  }

  /** Something that the page noticed by itself. */
  note(text) {
    this.take('note', { text });
  }

  take(name, data) {
    this.count += 1;
    this.events.unshift({ name, data, id: this.count, at: data.timestamp ? new Date(data.timestamp) : new Date() });
    this.events.length = Math.min(this.events.length, KEPT);
    this.drawing ??= setTimeout(() => this.draw(), DRAW_MS);
    this.happened(name);
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
    setText(text, WORDS[name]?.(data) ?? data.text ?? name);
    return el('li', { class: 'event' }, time, ' ', text);
  }
}
