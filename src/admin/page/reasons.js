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

/** The explanation in one text, for a tooltip. */
export function tooltip(reason) {
  const { means, then } = explain(reason);
  const what = then && then !== '–' ? ` What to do: ${then}` : '';
  return `${means}.${what}`.replaceAll('`', '');
}

/** The explanation as two paragraphs. */
export function explanation(reason) {
  const { means, then } = explain(reason);
  const made = el('div', { class: 'explained' });
  if (means) made.append(el('p', {}, ...prose(means), '.'));
  if (then && then !== '–') made.append(el('p', {}, el('b', {}, 'What to do: '), ...prose(then), '.'));
  return made;
}

/** Who brought it about, in the page's words: a backend is what the API calls upstream. */
export const who = (initiator) => (initiator === 'upstream' ? 'backend' : initiator);
