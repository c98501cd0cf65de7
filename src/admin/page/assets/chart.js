// A small line chart: axis, unit, current values, and the values under the pointer. Drawn as SVG.

import { el, setAttribute, setText } from './dom.js';
import { clock } from './format.js';

/** The time that a chart shows. */
export const WINDOW_MS = 15 * 60 * 1000;

/** A line is broken where nothing is known for longer than this. */
const GAP_MS = 16000;

const HEIGHT = 132;
const MARGIN = { top: 8, right: 6, bottom: 20, left: 46 };
const TICK_MS = 5 * 60 * 1000;

function svg(name, attributes = {}) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** The end of an axis that has a readable middle: 2, 4, 6, 8, 10, 20 … */
function axisEnd(highest, least) {
  const value = Math.max(highest, least);
  const power = 10 ** Math.floor(Math.log10(value));
  const steps = [1, 2, 4, 6, 8, 10].map((step) => step * power);
  return steps.find((step) => step >= value * 0.999);
}

export class Chart {
  /**
   * `title` and `unit` say what is shown, `series` are `{key, label}`, `format` writes a value, `least` is the
   * smallest end of the axis, `note` says why there is nothing at the left, if so.
   */
  constructor(figure, { title, unit, series, format, least = 1, note = '' }) {
    Object.assign(this, { title, unit, series, format, least, note, points: [], now: Date.now(), pointer: null });
    this.values = series.map(() => el('b', {}, ''));
    this.when = el('span', { class: 'when' });
    const legend = series.map(({ label }, index) =>
      el('span', { class: `legend line-${index}` }, el('i', { 'aria-hidden': 'true' }), `${label} `, this.values[index]));
    const heading = el('span', { class: 'chart-title' }, title, ' ', el('span', { class: 'unit' }, unit), ' ', this.when);
    this.svg = svg('svg', { role: 'img', height: HEIGHT });
    const frame = el('div', {}, this.svg);
    figure.append(el('figcaption', {}, heading, el('span', { class: 'legends' }, ...legend)), frame);
    this.grid = svg('g', { class: 'grid' });
    this.lines = series.map((_, index) => svg('path', { class: `line line-${index}` }));
    this.cursor = svg('line', { class: 'cursor', y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
    this.svg.append(this.grid, ...this.lines, this.cursor);
    this.svg.addEventListener('pointermove', (event) => this.point(event.offsetX));
    this.svg.addEventListener('pointerleave', () => this.point(null));
    new ResizeObserver(() => this.render()).observe(frame);
  }

  /** Shows these points, `{at, [key]}` in milliseconds and ascending, up to `now`. */
  draw(points, now) {
    this.points = points.filter(({ at }) => at >= now - WINDOW_MS);
    this.now = now;
    this.render();
  }

  point(x) {
    this.pointer = x;
    this.tell();
  }

  render() {
    this.width = Math.floor(this.svg.parentElement.getBoundingClientRect().width);
    if (this.width === 0) return;
    const all = this.points.flatMap((point) => this.series.map(({ key }) => point[key] ?? 0));
    this.top = axisEnd(Math.max(0, ...all), this.least);
    setAttribute(this.svg, 'width', String(this.width));
    this.renderGrid();
    this.lines.forEach((line, index) => setAttribute(line, 'd', this.path(this.series[index].key)));
    this.tell();
  }

  x(at) {
    const inside = this.width - MARGIN.left - MARGIN.right;
    return MARGIN.left + inside * (1 - (this.now - at) / WINDOW_MS);
  }

  y(value) {
    return MARGIN.top + (HEIGHT - MARGIN.top - MARGIN.bottom) * (1 - value / this.top);
  }

  renderGrid() {
    const parts = [];
    for (const value of [0, this.top / 2, this.top]) {
      const y = Math.round(this.y(value)) + 0.5;
      const label = svg('text', { x: MARGIN.left - 6, y: y + 3.5, class: 'axis-y' });
      label.textContent = this.axisLabel(value);
      parts.push(svg('line', { x1: MARGIN.left, x2: this.width - MARGIN.right, y1: y, y2: y }), label);
    }
    const first = Math.ceil((this.now - WINDOW_MS) / TICK_MS) * TICK_MS;
    for (let at = first; at <= this.now; at += TICK_MS) {
      const x = Math.round(this.x(at)) + 0.5;
      const label = svg('text', { x, y: HEIGHT - 5, class: this.anchor(x) });
      label.textContent = clock(new Date(at)).slice(-8, -3);
      parts.push(svg('line', { x1: x, x2: x, y1: HEIGHT - MARGIN.bottom, y2: HEIGHT - MARGIN.bottom + 4 }), label);
    }
    const begins = this.points.length > 0 ? this.x(this.points[0].at) : this.width;
    if (this.note && begins > this.width / 2) {
      const note = svg('text', { x: MARGIN.left + 10, y: HEIGHT / 2 - 8 });
      note.textContent = this.note;
      parts.push(note);
    }
    this.grid.replaceChildren(...parts);
  }

  /** Labels at the edges stay inside. */
  anchor(x) {
    if (x > this.width - 20) return 'axis-x last';
    return x < MARGIN.left + 10 ? 'axis-x first' : 'axis-x';
  }

  axisLabel(value) {
    return new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 }).format(value);
  }

  path(key) {
    let before = null;
    let path = '';
    for (const point of this.points) {
      const value = point[key];
      if (value === null || value === undefined) {
        before = null;
        continue;
      }
      const pen = before !== null && point.at - before <= GAP_MS ? 'L' : 'M';
      path += `${pen}${this.x(point.at).toFixed(1)} ${this.y(value).toFixed(1)}`;
      before = point.at;
    }
    return path;
  }

  /** Writes the current values, or those under the pointer. */
  tell() {
    const at = this.pointer === null ? null : this.nearest(this.pointer);
    const shown = at ?? this.points.at(-1);
    this.series.forEach(({ key }, index) => setText(this.values[index], this.write(shown?.[key])));
    setText(this.when, at ? `at ${clock(new Date(at.at))}` : '');
    const x = at ? this.x(at.at).toFixed(1) : '0';
    setAttribute(this.cursor, 'x1', x);
    setAttribute(this.cursor, 'x2', x);
    setAttribute(this.cursor, 'visibility', at ? 'visible' : 'hidden');
    if (!at) setAttribute(this.svg, 'aria-label', this.inWords());
  }

  write(value) {
    return value === null || value === undefined ? '–' : this.format(value);
  }

  nearest(x) {
    let best = null;
    for (const point of this.points) {
      const distance = Math.abs(this.x(point.at) - x);
      if (!best || distance < best.distance) best = { point, distance };
    }
    return best?.point ?? null;
  }

  inWords() {
    const each = this.series.map(({ key, label }) => {
      const values = this.points.map((point) => point[key]).filter((value) => value !== null && value !== undefined);
      if (values.length === 0) return `${label}: nothing yet`;
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return `${label}: now ${this.write(values.at(-1))}, lowest ${this.write(low)}, highest ${this.write(high)}`;
    });
    return `${this.title}, ${this.unit}, over the last 15 minutes. ${each.join('. ')}.`;
  }
}
