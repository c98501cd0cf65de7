// The window with one connection: kept up to date while it lives, pinged, closed, and what it ended with.

import { call } from './api.js';
import { byId, el, setText } from './dom.js';
import { clock, NONE, roundTrip } from './format.js';
import { ended, living } from './record.js';

const REFRESH_MS = 1000;

export class Detail {
  /** `ask(row)` opens the question whether to close it; `left()` is told when the window is closed. */
  constructor(ask, left) {
    Object.assign(this, { ask, row: null, over: false });
    this.dialog = byId('detail');
    this.body = byId('detail-body');
    this.said = byId('detail-said');
    byId('detail-buttons').append(
      el('button', { type: 'button', 'aria-keyshortcuts': 'c', onclick: () => this.ping('client') }, 'Ping client'),
      el('button', { type: 'button', 'aria-keyshortcuts': 'b', onclick: () => this.ping('upstream') }, 'Ping backend'),
      el('button', { type: 'button', class: 'danger', 'aria-keyshortcuts': 'x', onclick: () => ask(this.row) }, 'Close…'),
    );
    this.dialog.addEventListener('close', () => {
      clearTimeout(this.timer);
      this.row = null;
      left();
    });
  }

  /** Opens on a living connection. */
  showLiving(row) {
    this.start(row, `${row.client}`);
    this.draw(living(row));
    this.schedule();
  }

  /** Opens on a closing record. */
  showEnded(record) {
    this.start(record, `${record.client}`);
    this.drawEnded(record);
  }

  start(row, title) {
    this.row = row;
    this.over = false;
    setText(byId('detail-title'), title);
    setText(this.said, '');
    this.dialog.classList.remove('over');
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
  }

  draw(content) {
    this.body.replaceChildren(content);
  }

  drawEnded(record) {
    this.over = true;
    this.draw(ended(record));
    this.settle();
  }

  /** It can neither be pinged nor closed any more. */
  settle() {
    if (byId('detail-buttons').contains(document.activeElement)) this.dialog.querySelector('[data-close]').focus();
    this.dialog.classList.add('over');
  }

  say(text) {
    setText(this.said, text);
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), REFRESH_MS);
  }

  async refresh() {
    const { row } = this;
    if (!row || this.over) return;
    if (document.visibilityState === 'visible' && !getSelection().toString()) {
      try {
        const fresh = await call(`connections/${encodeURIComponent(row.conn)}`);
        if (this.row !== row) return;
        this.row = fresh;
        this.draw(living(fresh));
        if (fresh.state === 'closing') this.say('Closing…');
      } catch (error) {
        if (this.row !== row) return;
        if (error.status === 404 && (await this.look(row))) return;
      }
    }
    this.schedule();
  }

  /** It lives no more: shows its closing record, if that is still kept. */
  async look(row) {
    const { closed } = await call('closed', { q: row.conn, limit: 1 }).catch(() => ({ closed: null }));
    if (!closed || this.row !== row) return false;
    if (closed.length === 0) {
      this.over = true;
      this.settle();
      this.say('It has ended, and its record is no longer kept: look in the log.');
      return true;
    }
    this.say(`It ended at ${clock(new Date(closed[0].timestamp))}.`);
    this.drawEnded(closed[0]);
    return true;
  }

  async ping(leg) {
    const { row } = this;
    const name = leg === 'client' ? 'client' : 'backend';
    this.say(`Pinging the ${name}…`);
    try {
      const answer = await call(`connections/${encodeURIComponent(row.conn)}/ping`, { leg }, { method: 'POST' });
      if (this.row?.conn === row.conn) this.say(`The ${name} answered in ${answer.rtt_ms === null ? NONE : roundTrip(answer.rtt_ms)}, at ${clock(new Date())}.`);
    } catch (error) {
      if (this.row?.conn === row.conn) this.say(`The ${name} did not answer: ${error.message}.`);
    }
  }

  /** Keys of this window; whether it was one. */
  onKey(key) {
    const action = { c: () => this.ping('client'), b: () => this.ping('upstream'), x: () => this.ask(this.row) }[key];
    if (!action || this.over || !this.row) return false;
    action();
    return true;
  }
}
