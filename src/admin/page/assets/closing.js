// The question before a connection is closed: with which code and reason.

import { call } from './api.js';
import { byId, setText } from './dom.js';

/** RFC 6455 section 5.5: a control frame's payload is 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 123;

export class Closing {
  /** `done(conn)` is told when the API has taken the order. */
  constructor(done) {
    this.done = done;
    this.row = null;
    this.dialog = byId('closing');
    this.code = byId('closing-code');
    this.reason = byId('closing-reason');
    this.error = byId('closing-error');
    this.reason.addEventListener('input', () => this.count());
    byId('closing-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.send();
    });
  }

  /** `usual` is `close.killed` of the configuration: what is sent when nothing is entered. */
  ask(row, usual) {
    this.row = row;
    setText(byId('closing-who'), `${row.client}, ${row.host}${row.path}`);
    this.code.value = '';
    this.reason.value = '';
    this.code.placeholder = usual ? String(usual.code) : '';
    this.reason.placeholder = usual ? usual.reason : '';
    setText(byId('closing-code-hint'), 'What the client is sent. Empty: as under close.killed in the configuration. 1000 to 1003, 1007 to 1014, 3000 to 4999.');
    this.refuse(null, '');
    this.count();
    this.dialog.showModal();
    this.code.focus();
  }

  count() {
    const length = new TextEncoder().encode(this.reason.value).length;
    setText(byId('closing-reason-hint'), `${length} of at most ${MAX_REASON_BYTES} bytes`);
    byId('closing-reason-hint').classList.toggle('error', length > MAX_REASON_BYTES);
  }

  refuse(field, text) {
    setText(this.error, text);
    for (const input of [this.code, this.reason]) input.toggleAttribute('aria-invalid', input === field);
    field?.focus();
  }

  async send() {
    const { row } = this;
    const parameters = { code: this.code.value, reason: this.reason.value };
    if (this.code.validity.badInput) {
      this.refuse(this.code, 'A code is a number.');
      return;
    }
    try {
      const answer = await call(`connections/${encodeURIComponent(row.conn)}`, parameters, { method: 'DELETE' });
      this.dialog.close();
      this.done(answer);
    } catch (error) {
      this.refuse({ code: this.code, reason: this.reason }[error.problem?.field] ?? null, `Not closed: ${error.message}.`);
    }
  }
}
