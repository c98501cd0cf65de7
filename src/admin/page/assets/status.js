// The state in one word at the top, and notices for what needs somebody.

import { announce, byId, el, reconcile, setText } from './dom.js';
import { clock, duration, number } from './format.js';

/** Above this share of limits.max_connections newcomers are about to be refused. */
const NEARLY_FULL = 0.9;

export class Status {
  constructor() {
    this.lost = null;
    this.paused = false;
    this.summary = null;
    this.restarted = null;
  }

  /** A summary came. */
  take(summary, now) {
    if (this.summary && this.summary.started !== summary.started) this.restarted = new Date(summary.started);
    this.summary = summary;
    this.now = now;
    this.lost = null;
    this.render();
  }

  /** No answer, or one that is an error: `{since, text, retry}`. */
  lose(lost) {
    this.lost = lost;
    this.render();
  }

  pause(paused) {
    this.paused = paused;
    this.render();
  }

  render() {
    const { summary } = this;
    const [word, level] = this.word();
    const state = byId('state');
    setText(state, word);
    state.className = `state ${level}`;
    document.body.classList.toggle('stale', this.lost !== null);
    if (summary) {
      const up = duration(summary.uptime_ms);
      for (const about of document.querySelectorAll('.about')) {
        setText(about, `${summary.version}, up ${up}`);
        about.title = `since ${summary.started}`;
      }
      document.title = `${this.lost ? 'No answer' : `${word}, ${number(summary.connections.established)}`} – sidebeat`;
    }
    reconcile(byId('notices'), this.notices(), (notice) => notice.key, (notice) => this.notice(notice), (item, notice) => {
      item.className = `notice ${notice.level}`;
      setText(item.firstChild, notice.text);
      const [, progress, button] = item.children;
      progress.hidden = notice.done === undefined;
      if (notice.done !== undefined) progress.value = notice.done;
      button.onclick = notice.act ?? null;
    });
  }

  notice({ action, text }) {
    announce(text);
    const button = el('button', { type: 'button' }, action ?? '');
    button.hidden = !action;
    return el('div', {}, el('span', {}), el('progress', { max: '1', 'aria-label': 'Drained' }), button);
  }

  word() {
    const { summary } = this;
    if (this.lost) return ['No answer', 'bad'];
    if (!summary) return ['Asking…', ''];
    if (summary.draining) return ['Draining', 'warn'];
    const down = summary.upstreams.filter((one) => !one.up).length;
    if (down === summary.upstreams.length && down > 0) return ['Backend down', 'bad'];
    if (down > 0) return [`${down} of ${summary.upstreams.length} backends down`, 'warn'];
    return this.paused ? ['Paused', ''] : ['Serving', 'good'];
  }

  notices() {
    const { summary, lost } = this;
    if (lost) return [{ key: 'lost', level: 'bad', text: lost.text, action: 'Try now', act: lost.retry }];
    if (!summary) return [];
    const notices = [];
    if (summary.draining) notices.push(draining(summary.draining));
    for (const one of summary.upstreams.filter((upstream) => !upstream.up)) notices.push(down(one, this.now));
    const { established, admitted, max } = summary.connections;
    if (max !== null && admitted >= max * NEARLY_FULL) notices.push(full(admitted, established, max));
    if (summary.config.last_reload?.result === 'failure') notices.push(rejected(summary.config.last_reload));
    if (this.restarted) notices.push(this.began(this.restarted));
    if (this.paused) notices.push({ key: 'paused', level: 'info', text: `Paused: this is how it was at ${clock(new Date(this.now))}.` });
    return notices;
  }

  began(at) {
    const act = () => {
      this.restarted = null;
      this.render();
    };
    const text = `The sidecar started anew at ${clock(at)}: connections before that are gone, and counts began at zero.`;
    return { key: 'restarted', level: 'warn', text, action: 'Understood', act };
  }
}

function draining({ trigger, since, phase, remaining, of, deadline }) {
  const doing = {
    delay: 'newcomers are still accepted',
    closing: 'clients are being closed',
    finishing: 'waiting for the last to end',
  }[phase];
  const by = trigger === 'api' ? 'asked for by the API' : trigger;
  const left = `${number(remaining)} of ${number(of)} connections left`;
  const text = `Draining since ${clock(new Date(since))} (${by}): ${left}, ${doing}. Over at ${clock(new Date(deadline))} at the latest.`;
  return { key: 'draining', level: 'warn', text, done: of > 0 ? 1 - remaining / of : 1 };
}

function down(one, now) {
  const since = new Date(one.since);
  const why = one.detail ? `: ${one.detail}` : '';
  const text = `Backend ${one.address} has been down since ${clock(since)} (${duration(now - since)})${why}. Newcomers get 502. Is it running, on that address?`;
  return { key: `down ${one.address}`, level: 'bad', text };
}

function full(admitted, established, max) {
  const text = admitted >= max
    ? `Full: ${number(max)} connections is the limit, newcomers get 503. Raise limits.max_connections (a reload does), and find out why there are so many.`
    : `Nearly full: ${number(established)} of at most ${number(max)} connections. Past that newcomers get 503.`;
  return { key: 'full', level: admitted >= max ? 'bad' : 'warn', text };
}

function rejected(reload) {
  const act = () => {
    location.hash = 'configuration';
  };
  const text = `The file was changed at ${clock(new Date(reload.at))} and rejected: the configuration before it is still in effect.`;
  return { key: 'rejected', level: 'warn', text, action: 'See why', act };
}
