// The admin page: one loop asks the API while somebody looks, and hands what it says to the parts.

import { call, token } from './api.js';
import { Chart } from './chart.js';
import { Closing } from './closing.js';
import { Closings } from './closings.js';
import { Configuration } from './configuration.js';
import { Connections } from './connections.js';
import { Detail } from './detail.js';
import { byId, setText } from './dom.js';
import { Feed } from './feed.js';
import { clock, number, rate, roundTrip } from './format.js';
import { Glance } from './glance.js';
import { History } from './history.js';
import { setUpKeys } from './keys.js';
import { loadReasons } from './reasons.js';
import { Status } from './status.js';

const REFRESH_MS = 2000;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 15000;
const VIEWS = ['overview', 'connections', 'closings', 'configuration'];

await loadReasons();

const status = new Status();
const history = new History();
const feed = new Feed((record) => detail.showEnded(record), happened);
const connections = new Connections((row) => detail.showLiving(row), fail);
const closings = new Closings((record) => detail.showEnded(record), fail);
const configuration = new Configuration(fail);
const closing = new Closing(() => detail.say('Closing…'));
const detail = new Detail((row) => closing.ask(row, configuration.killed), backToTable);
const glance = new Glance((reason) => {
  location.hash = 'closings';
  closings.only(reason);
});
const charts = {
  connections: new Chart(byId('chart-connections'), {
    title: 'Connections', unit: 'established', series: [{ key: 'established', label: 'now' }], format: number, least: 2,
  }),
  rates: new Chart(byId('chart-rates'), {
    title: 'Opened and closed', unit: 'per second', format: rate,
    series: [{ key: 'opened', label: 'opened' }, { key: 'closed', label: 'closed' }],
  }),
  trips: new Chart(byId('chart-rtt'), {
    title: 'Round trip', unit: 'ms, median and 95th percentile', format: roundTrip, note: 'known while this page is open',
    series: [{ key: 'median', label: 'clients' }, { key: 'slow', label: '95 %' }, { key: 'backend', label: 'backend' }],
  }),
};

let view = 'overview';
let paused = false;
let failures = 0;
let lostSince = null;
let historyIsStale = true;
/** The loop is to look again now: it waits, or it is asking and will not wait after that. */
let woken = false;
let endWait = () => {};

function wake() {
  woken = true;
  endWait();
}

/** Waits, unless woken. */
async function sleep(ms) {
  if (!woken) {
    let timer;
    await new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
      endWait = resolve;
    });
    clearTimeout(timer);
  }
  woken = false;
}

const isWanted = () => document.visibilityState === 'visible' && !paused;

/** Until somebody looks and nothing is paused. */
async function untilWanted() {
  while (!isWanted()) {
    feed.stop();
    historyIsStale = true;
    await sleep(3600 * 1000);
  }
}

async function loop() {
  for (;;) {
    await untilWanted();
    try {
      await refresh();
      failures = 0;
      lostSince = null;
      if (isWanted()) feed.start();
      await sleep(REFRESH_MS);
    } catch (error) {
      if (error.status === 401) await askForToken();
      else await retry(error);
    }
  }
}

async function refresh() {
  const summary = await call('summary');
  const now = Date.parse(summary.started) + summary.uptime_ms;
  if (status.summary && status.summary.started !== summary.started) historyIsStale = true;
  if (historyIsStale && isWanted()) {
    history.load(await call('history'));
    historyIsStale = false;
  }
  history.add(summary, now);
  show(summary, now);
  // A pause begins with the key, not behind the round of calls that it came in.
  if (isWanted()) await { overview: connections, connections, closings, configuration }[view].refresh();
  // What a close sends by default is asked for once, for the question before it.
  if (isWanted() && !configuration.effective) await configuration.refresh();
}

function show(summary, now) {
  byId('token-form').hidden = true;
  byId('page').hidden = false;
  status.take(summary, now);
  glance.update(summary, now);
  charts.connections.draw(history.samples, now);
  charts.rates.draw(history.rates(), now);
  charts.trips.draw(history.trips, now);
}

/** Says that there is no answer, and waits longer each time. */
async function retry(error) {
  feed.stop();
  failures += 1;
  lostSince ??= new Date();
  historyIsStale = true;
  const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
  const until = Date.now() + wait;
  const why = error.status === 0 ? 'No answer from the sidecar' : `The sidecar answers with an error: ${error.message}`;
  const tell = () => {
    const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    const text = `${why}, since ${clock(lostSince)}. What is shown is from before. Trying again in ${seconds} s.`;
    status.lose({ text, retry: wake });
  };
  tell();
  const telling = setInterval(tell, 1000);
  await sleep(wait);
  clearInterval(telling);
}

/** Any other call that failed: the loop finds out what is wrong, and says so. */
function fail(error) {
  if (error.name !== 'AbortError') wake();
}

function askForToken() {
  feed.stop();
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
  const form = byId('token-form');
  setText(byId('token-error'), token.get() ? 'This token is not accepted.' : '');
  token.forget();
  form.hidden = false;
  byId('page').hidden = true;
  byId('token').value = '';
  byId('token').focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      token.set(byId('token').value.trim());
      resolve();
    };
  });
}

/** What an event changes is asked for at once. */
function happened(name) {
  if (name !== 'connection_closed' && name !== 'handshake_failed') wake();
}

/** The row that a window was opened from may be gone: then the focus goes to where the table was left. */
function backToTable() {
  if (document.activeElement !== document.body && !document.activeElement.closest('dialog')) return;
  if (view === 'closings') closings.list.enter();
  else if (view !== 'configuration') connections.list.enter();
}

function setView() {
  const asked = location.hash.slice(1);
  view = VIEWS.includes(asked) ? asked : 'overview';
  document.body.dataset.view = view;
  for (const link of document.querySelectorAll('nav a')) {
    const shown = link.dataset.view === view || (view === 'overview' && link.dataset.view === 'connections');
    if (shown) link.setAttribute('aria-current', link.dataset.view === view ? 'page' : 'true');
    else link.removeAttribute('aria-current');
  }
  wake();
}

function setPaused(value) {
  paused = value;
  byId('pause').setAttribute('aria-pressed', String(paused));
  setText(byId('pause'), paused ? 'Go on' : 'Pause');
  status.pause(paused);
  if (paused) feed.stop();
  wake();
}

const go = (target) => () => {
  location.hash = target;
};

function search() {
  if (view === 'configuration') location.hash = 'connections';
  byId(view === 'closings' ? 'closings-search' : 'search').focus();
}

function turn(way) {
  if (view !== 'configuration') (view === 'closings' ? closings : connections).list.turn(way);
}

setUpKeys({
  '/': search, 1: go('connections'), 2: go('closings'), 3: go('configuration'), l: () => setPaused(!paused),
  n: () => turn('next'), p: () => turn('previous'),
}, detail);
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('main').focus();
});
byId('pause').addEventListener('click', () => setPaused(!paused));
document.addEventListener('visibilitychange', wake);
addEventListener('hashchange', setView);
setView();
loop();
