// The keyboard: shortcuts, and the page's own list of them.

import { byId, el } from './dom.js';

const KEY = 'sidebeat.keys';

/** Everything the keyboard does, as the list on the page has it. */
const LIST = [
  ['Anywhere', [
    ['/', 'search'], ['1', 'connections'], ['2', 'closings'], ['3', 'configuration'], ['n', 'next page'], ['p', 'previous page'],
    ['l', 'pause, or go on'], ['?', 'this list'], ['Esc', 'leaves a window or the search'],
  ]],
  ['In a table', [['↑ ↓', 'to another row'], ['Home End', 'first and last row'], ['Enter', 'opens the row']]],
  ['In the search', [['↓ or Enter', 'into the table'], ['Esc', 'clears it, then leaves']]],
  ['With a connection open', [['c', 'pings the client'], ['b', 'pings the backend'], ['x', 'closes it, after a question']]],
];

export function setUpKeys(actions, detail) {
  const enabled = byId('keys-on');
  enabled.checked = localStorage.getItem(KEY) !== 'off';
  enabled.addEventListener('change', () => localStorage.setItem(KEY, enabled.checked ? 'on' : 'off'));
  byId('keys-list').append(...LIST.map(section));
  byId('show-keys').addEventListener('click', () => byId('keys').showModal());
  for (const button of document.querySelectorAll('dialog [data-close]')) {
    button.addEventListener('click', () => button.closest('dialog').close());
  }
  document.addEventListener('keydown', (event) => {
    if (!enabled.checked || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const window = document.querySelector('dialog[open]');
    if (window) {
      if (window.id === 'detail' && !byId('closing').open && detail.onKey(event.key)) event.preventDefault();
      return;
    }
    const action = event.key === '?' ? () => byId('keys').showModal() : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function isTyping(target) {
  return target.matches('input:not([type=checkbox]), select, textarea');
}

function section([title, keys]) {
  const list = el('dl', { class: 'keys' });
  for (const [key, what] of keys) {
    const each = key.split(' ').map((one) => (one === 'or' ? ' or ' : el('kbd', {}, one)));
    list.append(el('dt', {}, ...each), el('dd', {}, what));
  }
  return el('section', {}, el('h3', {}, title), list);
}
