// The side of the page: backends, reasons with their counts, and sums since the start.

import { byId, el, reconcile, setText } from './dom.js';
import { bytes, clock, duration, NONE, number } from './format.js';
import { advice, explain, meaning, tooltip, who } from './reasons.js';

const MINUTE_MS = 60 * 1000;

/** Counts of the last minute, from sums that only grow. */
class LastMinute {
  constructor() {
    this.seen = [];
  }

  /** Whether a minute has been seen. */
  get isWhole() {
    return this.seen.length > 0 && this.seen.at(-1).at - this.seen[0].at >= MINUTE_MS * 0.9;
  }

  /** How much each has grown within a minute, or since the page was opened. */
  take(counts, now) {
    const began = this.seen.length > 0 && [...counts].some(([key, count]) => count < (this.seen.at(-1).counts.get(key) ?? 0));
    if (began) this.seen = [];
    this.seen.push({ at: now, counts });
    while (this.seen.length > 1 && this.seen[1].at <= now - MINUTE_MS) this.seen.shift();
    const { counts: before } = this.seen[0];
    return new Map([...counts].map(([key, count]) => [key, count - (before.get(key) ?? 0)]));
  }
}

export class Glance {
  /** `only(reason)` shows the closings with a reason. */
  constructor(only) {
    this.only = only;
    this.minutes = { reasons: new LastMinute(), handshakes: new LastMinute() };
  }

  update(summary, now) {
    reconcile(byId('backends'), summary.upstreams, (one) => one.address, () => el('li'), (item, one) => backend(item, one, now));
    const closed = new Map();
    for (const { reason, count } of summary.closed) closed.set(reason, (closed.get(reason) ?? 0) + count);
    this.list('reasons', closed, now, 'Nobody has left yet.');
    const failed = new Map(summary.handshakes_failed.map(({ reason, count }) => [reason, count]));
    this.list('handshakes', failed, now, '');
    byId('handshakes-section').hidden = failed.size === 0;
    counters(summary);
  }

  list(id, counts, now, nobody) {
    const recent = this.minutes[id].take(counts, now);
    const none = this.minutes[id].isWhole ? '0' : NONE;
    const rows = [...counts].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
    const parent = byId(id);
    if (!parent.firstChild) {
      parent.append(
        el('p', { class: 'why-head', 'aria-hidden': 'true' }, el('span', {}, 'last min.'), el('span', {}, 'total')),
        el('div', {}), el('p', { class: 'empty' }, nobody));
    }
    const [head, list, empty] = parent.children;
    head.hidden = rows.length === 0;
    empty.hidden = rows.length > 0;
    reconcile(list, rows, ([name]) => name, ([name]) => this.reason(id, name), (item, [name, count]) => {
      const [, last, total] = item.firstChild.children;
      const grown = recent.get(name);
      setText(last, grown > 0 ? `+${number(grown)}` : none);
      last.classList.toggle('grown', grown > 0);
      setText(total, number(count));
    });
  }

  reason(id, name) {
    const { initiator } = explain(name);
    const summary = el('summary', { title: tooltip(name) },
      el('code', {}, name), ' ', el('span', { class: 'num' }), ' ', el('span', { class: 'num' }), ' ',
      el('span', { class: 'under' }, el('b', {}, `by ${who(initiator)}`), ' ', ...meaning(name)));
    const show = id === 'reasons' ? el('button', { type: 'button', onclick: () => this.only(name) }, 'Show these closings') : '';
    return el('details', { class: 'why' }, summary, el('div', { class: 'advice' }, advice(name), show));
  }
}

function backend(item, one, now) {
  if (!item.firstChild) item.append(el('span', {}), ' ', el('code', {}), ' ', el('span', { class: 'under' }));
  const [state, address, since] = item.children;
  state.className = one.up ? 'pill good' : 'pill bad';
  setText(state, one.up ? 'up' : 'down');
  setText(address, one.address);
  const at = new Date(one.since);
  const why = one.detail ? `: ${one.detail}` : '';
  setText(since, `since ${clock(at)}, for ${duration(now - at)}${why}`);
}

function counters(summary) {
  const { client, upstream } = summary;
  const sum = (key) => [number(client[key]), number(upstream[key])];
  const rows = [
    ['Messages received', ...sum('messages')],
    ['Payload received', bytes(client.bytes), bytes(upstream.bytes)],
    ['Pings sent', ...sum('pings_sent')],
    ['Pongs received', ...sum('pongs_received')],
    ['Pings missed', ...sum('missed_pongs')],
    ['Their pings answered', ...sum('pings_answered')],
  ];
  table('legs', ['', 'Clients', 'Backend'], rows);
  table('routes', ['Route', 'Now', 'Opened'], summary.routes.map((one) => [one.route, number(one.established), number(one.opened)]));
  table('beats', ['Application heartbeats', 'Answered or seen'], summary.app_heartbeats.map((one) => [one.rule, number(one.count)]));
  table('http', ['Plain HTTP', 'Answers'], summary.http_requests.map((one) => [one.status_class, number(one.count)]));
  const lost = [['Log lines dropped', summary.log_lines_dropped], ['Events dropped', summary.events_dropped]];
  table('lost', ['Lost by this sidecar', 'Count'], lost.filter(([, count]) => count > 0).map(([name, count]) => [name, number(count)]));
}

/** A small table in `counters`, made once and then only filled. */
function table(name, headings, rows) {
  const parent = byId('counters');
  let made = parent.querySelector(`[data-table=${name}]`);
  if (!made) {
    made = el('table', { 'data-table': name, class: 'sums' },
      el('thead', {}, el('tr', {}, ...headings.map((heading) => el('th', { scope: 'col' }, heading)))), el('tbody', {}));
    parent.append(made);
  }
  made.hidden = rows.length === 0;
  const line = (row) => el('tr', {}, ...row.map((_, index) => el(index === 0 ? 'th' : 'td', { scope: index === 0 ? 'row' : null })));
  reconcile(made.tBodies[0], rows, ([first]) => first, line, (item, row) => row.forEach((text, index) => setText(item.cells[index], text)));
}
