// The table of those that ended lately.

import { ApiError, call } from './api.js';
import { byId, el, setText, setTitle } from './dom.js';
import { clock, close, duration } from './format.js';
import { List, PAGE_SIZE } from './list.js';
import { closingReasons, tooltip, who } from './reasons.js';

const TYPING_MS = 200;

const COLUMNS = [
  { title: 'Ended', class: 'when', update: ended },
  { title: 'Reason', class: 'reason', update: reason },
  { title: 'Client', class: 'client wide', update: (cell, row) => setText(cell, row.client) },
  { title: 'Route, path', class: 'path wide roomy', update: path },
  { title: 'Lived', class: 'num', update: (cell, row) => setText(cell, duration(row.duration_ms)) },
  { title: 'Close to the client', class: 'frame wide', update: frame, explained: 'Code and reason that the client was sent' },
  { title: 'In words', class: 'words wide', update: words },
];

export class Closings {
  /** As for the living. */
  constructor(open, report) {
    this.search = byId('closings-search');
    this.reason = byId('closings-reason');
    this.reason.append(...closingReasons().map((name) => el('option', { value: name, title: tooltip(name) }, name)));
    this.list = new List('closings', {
      columns: COLUMNS, keyOf: (row) => row.conn, open, changed: () => this.refresh().catch(report),
    });
    this.search.addEventListener('input', () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.list.reset(), TYPING_MS);
    });
    this.reason.addEventListener('change', () => this.list.reset());
    this.search.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
      event.preventDefault();
      this.list.enter();
    });
  }

  /** Shows those with one reason. */
  only(reason) {
    this.reason.value = reason;
    this.list.reset();
  }

  async refresh() {
    this.asking?.abort();
    const asking = this.asking = new AbortController();
    const parameters = {
      limit: PAGE_SIZE, cursor: this.list.pages.cursor, q: this.search.value.trim(), reason: this.reason.value,
    };
    try {
      const { closed, next } = await call('closed', parameters, asking);
      setText(byId('closings-error'), '');
      const filtered = parameters.q || parameters.reason;
      this.list.show(closed, next, filtered ? 'None of them matches.' : 'No connection has ended yet.');
    } catch (error) {
      if (error.name === 'AbortError') return;
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      setText(byId('closings-error'), error.message);
    }
  }
}

function ended(cell, row) {
  if (!cell.firstChild) cell.append(el('button', { type: 'button', class: 'open' }));
  setText(cell.firstChild, clock(new Date(row.timestamp)));
  setTitle(cell, row.timestamp);
}

function reason(cell, row) {
  if (!cell.firstChild) cell.append(el('code', {}), ' ', el('span', { class: 'tag wide-only' }), el('span', { class: 'under narrow-only' }));
  const [name, initiator, under] = cell.children;
  setText(name, row.reason);
  setText(initiator, `by ${who(row.initiator)}`);
  setText(under, row.client);
  setTitle(cell, tooltip(row.reason));
  cell.classList.toggle('loud', row.level !== 'INFO');
}

function path(cell, row) {
  if (!cell.firstChild) cell.append(el('span', { class: 'tag' }), ' ', el('span', {}));
  setText(cell.children[0], row.route);
  setText(cell.children[1], row.path);
  setTitle(cell, `${row.host}${row.path}`);
}

function frame(cell, row) {
  setText(cell, close(row.client_close.sent));
  setTitle(cell, cell.textContent);
}

function words(cell, row) {
  setText(cell, row.detail);
  setTitle(cell, row.detail);
}
