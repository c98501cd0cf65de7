// Numbers, sizes, durations and times as people read them.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** 12,345 */
export const number = (value) => whole.format(value);

/** What is not there. */
export const NONE = '–';

/** 0.4, 12.3, 1,234: per second. */
export const rate = (value) => (value >= 100 ? whole : tenths).format(value);

/** 860 B, 9.1 KiB: as limits are written in the configuration. */
export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${index === 0 || value >= 100 ? whole.format(value) : tenths.format(value)} ${units[index]}`;
}

/** 5s, 3m 01s, 2h 05m, 3d 4h: from milliseconds. */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (value) => String(value).padStart(2, '0');
  if (minutes === 0) return `${seconds}s`;
  if (hours === 0) return `${minutes}m ${two(seconds % 60)}s`;
  if (hours < 24) return `${hours}h ${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** 0.3 ms, 18.4 ms, 184 ms, 1.84 s: a round trip, from milliseconds. */
export function roundTrip(ms) {
  if (ms === null || ms === undefined) return NONE;
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 100 ? whole.format(ms) : tenths.format(ms)} ms`;
}

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** 02:11:04, of this browser's zone; 21 Nov 02:11:04 when that is not today. */
export function clock(date) {
  const two = (value) => String(value).padStart(2, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return date.toDateString() === new Date().toDateString() ? time : `${day.format(date)} ${time}`;
}

/** A Close frame as the records have it: 1001 “idle timeout”. */
export function close(frame) {
  if (!frame) return NONE;
  return frame.reason ? `${frame.code} “${frame.reason}”` : String(frame.code);
}

/** A captured value: text without its quotes, anything else as JSON. */
export const captured = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
