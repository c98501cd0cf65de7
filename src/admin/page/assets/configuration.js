// The configuration in effect, and what became of the last reload.

import { ApiError, call } from './api.js';
import { byId, el, setText } from './dom.js';
import { clock } from './format.js';
import { yaml } from './yaml.js';

const TRIGGERS = { file: 'the file changed', signal: 'SIGHUP', api: 'asked for by the API' };

export class Configuration {
  constructor(report) {
    this.report = report;
    this.effective = null;
    this.button = byId('reload');
    this.button.addEventListener('click', () => this.reload());
  }

  /** What is sent when an operator closes a connection and says nothing else. */
  get killed() {
    return this.effective?.close?.killed ?? null;
  }

  async refresh() {
    const answer = await call('config');
    this.effective = answer.effective;
    setText(byId('configuration-path'), answer.path);
    setText(byId('configuration-text'), yaml(answer.effective));
    const told = JSON.stringify([answer.last_reload, answer.loaded_at]);
    if (told === this.told) return;
    this.told = told;
    byId('configuration-reload').replaceChildren(...describe(answer));
  }

  async reload() {
    this.button.disabled = true;
    const error = byId('configuration-error');
    try {
      await call('reload', {}, { method: 'POST' });
      setText(error, '');
    } catch (problem) {
      // A rejected file is shown as the last reload.
      setText(error, problem instanceof ApiError && problem.status === 422 ? '' : `Not reloaded: ${problem.message}.`);
    } finally {
      this.button.disabled = false;
    }
    await this.refresh().catch(this.report);
  }
}

function describe({ last_reload: reload, loaded_at: loaded }) {
  const time = (text) => el('time', { datetime: text, title: text }, clock(new Date(text)));
  if (!reload) return [el('p', {}, 'In effect since the start, ', time(loaded), '. Not reloaded since.')];
  const trigger = TRIGGERS[reload.trigger] ?? reload.trigger;
  if (reload.result === 'success') {
    const changed = reload.changed.length > 0 ? reload.detail : 'nothing differs';
    return [
      el('p', {}, el('b', { class: 'good' }, 'Reloaded'), ' at ', time(reload.at), ` (${trigger}).`),
      el('p', { class: 'mono' }, changed),
    ];
  }
  return [
    el('p', {}, el('b', { class: 'bad' }, 'Rejected'), ' at ', time(reload.at), ` (${trigger}): ${reload.detail}.`),
    el('ul', { class: 'mono' }, ...reload.problems.map((problem) => el('li', {}, problem))),
    el('p', {}, 'What is in effect was loaded at ', time(loaded), '.'),
  ];
}
