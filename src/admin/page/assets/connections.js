// The table of the living: searched, ordered and cut into pages by the API.

import { ApiError, call } from './api.js';
import { announce, byId, el, setText, setTitle } from './dom.js';
import { bytes, captured, clock, duration, number, roundTrip } from './format.js';
import { List, PAGE_SIZE } from './list.js';

/** Typing is over when no key came for so long. */
const TYPING_MS = 200;

const COLUMNS = [
  { title: 'Client', class: 'client', sorts: ['client', '-client'], ascendingFirst: true, update: client },
  { title: 'Route, path', class: 'path wide', update: path },
  { title: 'Age', class: 'num', sorts: ['-opened', 'opened'], ascendingFirst: true, update: age, explained: 'Since its opening handshake' },
  { title: 'Client idle', class: 'num', sorts: ['-client_idle', 'client_idle'], update: idle('client_idle_ms'), explained: 'Since anything came from the client' },
  { title: 'Backend idle', class: 'num wide', sorts: ['-upstream_idle', 'upstream_idle'], update: idle('upstream_idle_ms'), explained: 'Since anything came from the backend' },
  { title: 'RTT', class: 'num', sorts: ['-rtt', 'rtt'], update: trip, explained: 'Round trip of the last ping to the client' },
  { title: 'In / out', class: 'num wide', sorts: ['-traffic', 'traffic'], update: traffic, explained: 'Payload received from the client / from the backend; ordered by the sum' },
  { title: 'Captured', class: 'captured wide', update: fields, explained: 'Fields kept from the client’s heartbeats: heartbeat.app[].capture' },
];

export class Connections {
  /** `open(row)` shows one. `report(error)` takes what is no fault of the search. */
  constructor(open, report) {
    this.report = report;
    this.announced = '';
    this.search = byId('search');
    this.list = new List('connections', {
      columns: COLUMNS, keyOf: (row) => row.conn, open, changed: () => this.refresh().catch(report), sort: '-opened',
    });
    this.search.addEventListener('input', () => this.later());
    this.search.addEventListener('keydown', (event) => this.onKey(event));
  }

  later() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.list.reset(), TYPING_MS);
  }

  onKey(event) {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      this.list.enter();
    }
    if (event.key === 'Escape') {
      event.preventDefault();
      if (this.search.value) {
        this.search.value = '';
        this.list.reset();
      } else {
        this.search.blur();
      }
    }
  }

  /** Asks for the page that is shown. The newest question wins. */
  async refresh() {
    this.asking?.abort();
    const asking = this.asking = new AbortController();
    const { sort, pages } = this.list;
    const q = this.search.value.trim();
    try {
      const answer = await call('connections', { limit: PAGE_SIZE, cursor: pages.cursor, sort, q }, asking);
      this.show(answer, q);
    } catch (error) {
      if (error.name === 'AbortError') return;
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      setText(byId('connections-error'), error.message);
    }
  }

  show({ connections, next, total, matching }, q) {
    setText(byId('connections-error'), '');
    const none = q ? `None of ${number(total)} connections matches “${q}”.` : 'Nobody is connected.';
    this.list.show(connections, next, none);
    setText(byId('connections-count'), q ? `${number(matching)} of ${number(total)}` : number(total));
    if (q !== this.announced) announce(q ? `${number(matching)} of ${number(total)} connections match` : `${number(total)} connections`);
    this.announced = q;
  }
}

function client(cell, row) {
  if (!cell.firstChild) {
    cell.append(el('button', { type: 'button', class: 'open' }), el('span', { class: 'under narrow-only' }));
  }
  const [button, under] = cell.children;
  setText(button, row.client);
  setText(under, row.path);
  setTitle(cell, `${row.conn}, opened ${clock(new Date(row.opened))}`);
}

function path(cell, row) {
  if (!cell.firstChild) cell.append(el('span', { class: 'tag' }), ' ', el('span', {}));
  const [route, place] = cell.children;
  setText(route, row.route);
  setText(place, row.path);
  setTitle(cell, `${row.host}${row.path}`);
}

function age(cell, row) {
  setText(cell, row.state === 'closing' ? 'closing' : duration(row.age_ms));
  cell.classList.toggle('bad', row.state === 'closing');
  setTitle(cell, new Date(row.opened).toISOString());
}

function idle(key) {
  return (cell, row) => setText(cell, duration(row[key]));
}

function trip(cell, row) {
  const missed = row.missed_pongs > 0;
  setText(cell, missed ? `${number(row.missed_pongs)} missed` : roundTrip(row.rtt_ms));
  cell.classList.toggle('bad', missed);
  setTitle(cell, missed ? `${roundTrip(row.rtt_ms)}; pings that went without an answer: ${row.missed_pongs}` : '');
}

function traffic(cell, row) {
  setText(cell, `${bytes(row.client_bytes)} / ${bytes(row.upstream_bytes)}`);
  setTitle(cell, `${number(row.client_messages)} messages from the client, ${number(row.upstream_messages)} from the backend`);
}

function fields(cell, row) {
  setText(cell, Object.entries(row.captured).map(([name, value]) => `${name}: ${captured(value)}`).join(', '));
  setTitle(cell, cell.textContent);
}
