// Elements without markup: whatever comes from outside goes in as text nodes.

/** What a person cannot see, or what turns the direction of writing: as `printable` of the program has it. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

/** A text from outside in which nothing is hidden: such characters as the log writes them. */
export function visible(text) {
  const escape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return String(text).replace(UNSAFE, (found) => found.split('').map(escape).join(''));
}

/** An element with attributes and children. A property in `attributes` that starts with `on` is a listener. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? '' : key === 'title' ? visible(value) : value);
  }
  made.append(...children.map((child) => (child instanceof Node ? child : visible(child))));
  return made;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Sets a text only when it differs, so that a selection or a screen reader is not disturbed. */
export function setText(node, text) {
  const shown = visible(text);
  if (node.textContent !== shown) node.textContent = shown;
}

/** Sets what is shown while the pointer rests on a node. */
export function setTitle(node, text) {
  node.title = visible(text);
}

/** Has a screen reader say something once. */
export const announce = (text) => setText(byId('announcement'), text);

/** Sets or removes an attribute, only when it differs. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * Makes the children of `parent` those of `items`, in order, keeping the element of a key: focus, selection and open
 * details stay where they are.
 */
export function reconcile(parent, items, keyOf, make, update) {
  const kept = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = kept.get(key);
    kept.delete(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else moveBefore(parent, child, place);
  }
  for (const child of kept.values()) child.remove();
}

/** Moving an element takes its focus away; it gets it back. */
function moveBefore(parent, child, place) {
  const focused = child.contains(document.activeElement) ? document.activeElement : null;
  parent.insertBefore(child, place);
  if (focused) focused.focus({ preventScroll: true });
}

/** Text in which `code` stands in backticks, as nodes. */
export function prose(text) {
  return text.split('`').map((part, index) => (index % 2 ? el('code', {}, part) : part));
}

/** A list of names and values. Values may be nodes. */
export function facts(pairs) {
  const list = el('dl', { class: 'facts' });
  for (const [name, value] of pairs) list.append(el('dt', {}, name), el('dd', {}, value));
  return list;
}
