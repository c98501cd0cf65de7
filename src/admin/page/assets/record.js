// One connection in full, living or ended: who it is, and its two legs side by side.

import { el, facts } from './dom.js';
import { bytes, captured, clock, close, duration, NONE, number, roundTrip } from './format.js';
import { advice, meaning, who } from './reasons.js';

/** What is told of a living connection. */
export function living(row) {
  return el('div', {},
    facts([
      ...identity(row),
      ['Opened', when(row.opened)],
      ['Age', duration(row.age_ms)],
      ['Compressed', row.compressed ? 'yes, permessage-deflate' : 'no'],
    ]),
    legs(row, []),
    application(row));
}

/** What is told of one that has ended: all of its closing record. */
export function ended(record) {
  const closes = [
    ['Close received', close(record.client_close.received), close(record.upstream_close.received)],
    ['Close sent', close(record.client_close.sent), close(record.upstream_close.sent)],
  ];
  return el('div', {},
    el('div', { class: 'card verdict' },
      el('p', {}, el('code', {}, record.reason), ` by ${who(record.initiator)}: ${record.detail}`),
      el('p', {}, ...meaning(record.reason)), advice(record.reason)),
    facts([
      ...identity(record),
      ['Ended', when(record.timestamp)],
      ['Lived', duration(record.duration_ms)],
      ['Phase', record.phase],
      ['Cut inside a frame', record.mid_frame ? 'yes: no Close frame could follow' : 'no'],
    ]),
    legs(record, closes),
    application(record),
    el('details', {}, el('summary', {}, 'The log line'), el('pre', { tabindex: '0' }, JSON.stringify(record, null, 2))));
}

function when(text) {
  return el('time', { datetime: text, title: text }, clock(new Date(text)));
}

function identity(row) {
  return [
    ['Connection', el('code', {}, row.conn)],
    ['Request', el('code', {}, row.request_id)],
    ['Route', row.route],
    ['Host and path', el('code', {}, `${row.host}${row.path}`)],
    ['Subprotocol', row.subprotocol ?? NONE],
    ['Backend', el('code', {}, row.upstream)],
    ...(row.trace_id ? [['Trace', el('code', {}, row.trace_id)]] : []),
    ...Object.entries(row.headers ?? {}).map(([name, value]) => [`header ${name}`, el('code', {}, value)]),
  ];
}

function legs(row, closes) {
  const leg = (name, prefix, write = number) => [name, write(row[prefix]), write(row[`upstream_${prefix}`])];
  const rows = [
    ['Idle', duration(row.client_idle_ms), duration(row.upstream_idle_ms)],
    leg('Round trip', 'rtt_ms', roundTrip),
    ['Messages received', number(row.client_messages), number(row.upstream_messages)],
    ['Bytes received', bytes(row.client_bytes), bytes(row.upstream_bytes)],
    leg('Pings sent', 'pings_sent'),
    leg('Pongs received', 'pongs_received'),
    leg('Pings missed', 'missed_pongs'),
    leg('Its pings answered', 'pings_answered'),
    ...closes,
  ];
  const heading = ['', 'Client', 'Backend'].map((title) => el('th', { scope: 'col' }, title));
  const lines = rows.map(([name, client, backend]) =>
    el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, client), el('td', {}, backend)));
  return el('table', { class: 'legs', 'aria-label': 'Both legs' },
    el('thead', {}, el('tr', {}, ...heading)), el('tbody', {}, ...lines));
}

function application(row) {
  const fields = Object.entries(row.captured);
  if (row.app_heartbeats === 0 && fields.length === 0) return '';
  return facts([
    ['Application heartbeats', number(row.app_heartbeats)],
    ...fields.map(([name, value]) => [`captured ${name}`, el('code', {}, captured(value))]),
  ]);
}
