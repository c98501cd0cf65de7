// What the charts show: 15 minutes from the API, then what each summary adds.

import { WINDOW_MS } from './chart.js';

/** Points are kept this far apart, as far as the API's own. */
const INTERVAL_MS = 5000;

const sum = (list, of) => list.reduce((total, item) => total + of(item), 0);

export class History {
  constructor() {
    this.samples = [];
    this.trips = [];
  }

  /** Takes what GET /api/history says in place of what is known. */
  load({ samples }) {
    this.samples = samples.map(({ at, ...counts }) => ({ at: Date.parse(at), ...counts }));
  }

  /** Adds a summary. */
  add(summary, now) {
    keep(this.samples, {
      at: now,
      established: summary.connections.established,
      opened: sum(summary.routes, (route) => route.opened),
      closed: sum(summary.closed, (reason) => reason.count),
    });
    keep(this.trips, {
      at: now,
      median: summary.client.rtt_ms?.p50,
      slow: summary.client.rtt_ms?.p95,
      backend: summary.upstream.rtt_ms?.p50,
    });
  }

  /** Per second, between neighbours; nothing where the counters began anew. */
  rates() {
    return this.samples.slice(1).map((sample, index) => {
      const before = this.samples[index];
      const seconds = (sample.at - before.at) / 1000;
      const per = (key) => (sample[key] >= before[key] ? (sample[key] - before[key]) / seconds : null);
      return { at: sample.at, opened: per('opened'), closed: per('closed') };
    });
  }
}

/** The newest point moves on until it is far enough from the one before it. */
function keep(points, point) {
  const before = points.at(-2);
  if (before && points.at(-1).at - before.at < INTERVAL_MS) points.pop();
  if (points.length > 0 && points.at(-1).at >= point.at) return;
  points.push(point);
  while (points[0].at < point.at - WINDOW_MS) points.shift();
}
