// A table of which one row can be opened: columns, sorting, pages, and the keyboard.

import { el, reconcile, setAttribute, setText } from './dom.js';

/** Rows of one page. */
export const PAGE_SIZE = 100;

/** Which page is shown, by the API's cursors. */
class Pages {
  constructor() {
    this.reset();
  }

  reset() {
    this.cursors = [null];
    this.following = null;
  }

  get cursor() {
    return this.cursors.at(-1);
  }

  get index() {
    return this.cursors.length;
  }

  next() {
    const { following } = this;
    // It belongs to the page that is left: until the answer has come, nothing follows.
    this.following = null;
    if (following !== null) this.cursors.push(following);
    return following !== null;
  }

  previous() {
    this.following = null;
    if (this.cursors.length > 1) this.cursors.pop();
    return true;
  }
}

export class List {
  /**
   * `ids` is what the elements' ids begin with, `columns` are `{title, class, sorts, update(cell, row)}` of which the
   * first holds the button that opens a row, `keyOf(row)` names it, `open(row)` opens it, and `changed()` asks for
   * other rows.
   */
  constructor(ids, { columns, keyOf, open, changed, sort = '' }) {
    Object.assign(this, { columns, keyOf, open, changed, sort, pages: new Pages(), rows: new Map(), current: null });
    const id = (name) => document.getElementById(`${ids}-${name}`);
    this.table = id('table');
    this.body = this.table.tBodies[0];
    this.empty = id('empty');
    this.table.tHead.rows[0].append(...columns.map((column) => this.heading(column)));
    this.previous = el('button', { type: 'button', onclick: () => this.turn('previous') }, 'Previous');
    this.next = el('button', { type: 'button', onclick: () => this.turn('next') }, 'Next');
    this.where = el('span', { class: 'count' });
    id('pager').append(this.previous, this.where, this.next);
    this.table.addEventListener('keydown', (event) => this.onKey(event));
    this.body.addEventListener('click', (event) => this.onClick(event));
    this.showSort();
  }

  heading(column) {
    const label = column.sorts
      ? el('button', { type: 'button', onclick: () => this.sortBy(column) }, column.title, el('i', { 'aria-hidden': 'true' }))
      : column.title;
    column.heading = el('th', { scope: 'col', class: column.class, title: column.explained }, label);
    return column.heading;
  }

  /** A column's `sorts` are the API's words for descending and ascending, as the column reads. */
  sortBy({ sorts: [first, second] }) {
    this.sort = this.sort === first ? second : first;
    this.showSort();
    this.reset();
  }

  showSort() {
    for (const { heading, sorts, ascendingFirst } of this.columns) {
      if (!sorts) continue;
      const at = sorts.indexOf(this.sort);
      const ascending = ascendingFirst ? at === 0 : at === 1;
      setAttribute(heading, 'aria-sort', at < 0 ? null : ascending ? 'ascending' : 'descending');
    }
  }

  /** Back to the first page, after another search or order. */
  reset() {
    this.pages.reset();
    this.changed();
  }

  turn(way) {
    if (!this.pages[way]()) return;
    this.changed();
    this.table.scrollIntoView({ block: 'nearest' });
  }

  /** Shows a page of rows, and that `next` follows. `none` says why there is nothing. */
  show(rows, next, none) {
    // Everybody on this page has gone: those on the pages before it may still be there.
    if (rows.length === 0 && this.pages.index > 1) {
      this.pages.previous();
      this.changed();
      return;
    }
    this.pages.following = next;
    const before = [...this.rows.keys()];
    this.rows = new Map(rows.map((row) => [String(this.keyOf(row)), row]));
    const had = this.body.contains(document.activeElement);
    reconcile(this.body, rows, this.keyOf, () => this.row(), (line, row) => this.update(line, row));
    this.keepCurrent(before, had);
    this.empty.hidden = rows.length > 0;
    setText(this.empty, rows.length > 0 ? '' : none);
    this.previous.disabled = this.pages.index === 1;
    this.next.disabled = next === null;
    this.previous.parentElement.hidden = this.pages.index === 1 && next === null;
    setText(this.where, `page ${this.pages.index}`);
  }

  row() {
    return el('tr', {}, ...this.columns.map((column, index) =>
      el(index === 0 ? 'th' : 'td', { class: column.class, scope: index === 0 ? 'row' : null })));
  }

  update(line, row) {
    this.columns.forEach((column, index) => column.update(line.cells[index], row));
  }

  /** One row can be reached with Tab. When it is gone, its neighbour is that row, focused if it was. */
  keepCurrent(before, hadFocus) {
    if (!this.rows.has(this.current)) {
      const at = before.indexOf(this.current);
      const order = [...this.rows.keys()];
      const neighbour = before.slice(at + 1).find((key) => this.rows.has(key));
      this.current = (at >= 0 && (neighbour ?? order.at(-1))) || order[0] || null;
      if (hadFocus && this.current) this.focus(this.current);
    }
    for (const line of this.body.rows) setAttribute(this.button(line), 'tabindex', line.dataset.key === this.current ? '0' : '-1');
  }

  button(line) {
    return line.cells[0].querySelector('button');
  }

  line(key) {
    return [...this.body.rows].find((line) => line.dataset.key === key);
  }

  focus(key) {
    this.current = key;
    for (const line of this.body.rows) setAttribute(this.button(line), 'tabindex', line.dataset.key === key ? '0' : '-1');
    const line = this.line(key);
    if (!line) return;
    this.button(line).focus({ preventScroll: true });
    line.scrollIntoView({ block: 'nearest' });
  }

  /** Into the table, by a key: the row one was at last. */
  enter() {
    if (this.current) this.focus(this.current);
  }

  onClick(event) {
    const line = event.target.closest('tr');
    if (!line || getSelection().toString()) return;
    this.focus(line.dataset.key);
    this.open(this.rows.get(line.dataset.key));
  }

  onKey(event) {
    if (!this.body.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    const order = [...this.body.rows].map((line) => line.dataset.key);
    const at = order.indexOf(event.target.closest('tr').dataset.key);
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: order.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    if (order[target] !== undefined) this.focus(order[target]);
  }
}
