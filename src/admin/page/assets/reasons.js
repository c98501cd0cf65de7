// What the reasons mean, in the words of the README's tables: reasons.json, which a test holds against them.

import { el, prose } from './dom.js';

let known = { closed: {}, handshakes: {} };

/** Loads the words once, before anything is drawn. */
export async function loadReasons() {
  const answer = await fetch('reasons.json');
  if (answer.ok) known = await answer.json();
}

/** `{initiator, means, then}` of a reason that ended a connection, or of one why none began. */
export function explain(reason) {
  return known.closed[reason] || known.handshakes[reason] || { initiator: '', means: '', then: '' };
}

/** Every reason that a connection can end with. */
export const closingReasons = () => Object.keys(known.closed);

/** What a reason means, in one text for a tooltip. */
export const tooltip = (reason) => sentence(explain(reason).means).replaceAll('`', '');

/** What a reason means, as nodes. */
export const meaning = (reason) => prose(sentence(explain(reason).means));

/** What to do about it: a paragraph, or nothing. */
export function advice(reason) {
  const { then } = explain(reason);
  return then && then !== '–' ? el('p', {}, el('b', {}, 'What to do: '), ...prose(sentence(then))) : '';
}

const sentence = (text) => (text === '' || /[.?!]$/.test(text) ? text : `${text}.`);

/** Who brought it about, in the page's words: a backend is what the API calls upstream. */
export const who = (initiator) => (initiator === 'upstream' ? 'backend' : initiator);
