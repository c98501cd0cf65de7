// The configuration in effect, written as proxy.yaml would have it.

/** A text that YAML reads as itself without quotes. */
const PLAIN = /^[A-Za-z0-9_./*][A-Za-z0-9_./:*@+-]*( [A-Za-z0-9_./*@+-]+)*$/;
const NO_TEXT = /^(true|false|null|yes|no|on|~|[-+.]?[0-9][0-9_.eExXoO+-]*)$/i;

function scalar(value) {
  if (typeof value !== 'string') return JSON.stringify(value);
  return PLAIN.test(value) && !NO_TEXT.test(value) && !value.endsWith(':') ? value : `'${value.replaceAll("'", "''")}'`;
}

const isFlat = (value) => value === null || typeof value !== 'object' || Object.keys(value).length === 0;

function inline(value) {
  if (Array.isArray(value)) return '[]';
  return value !== null && typeof value === 'object' ? '{}' : scalar(value);
}

/** The lines of a value, without indentation. */
function lines(value) {
  if (isFlat(value)) return [inline(value)];
  if (Array.isArray(value)) {
    return value.flatMap((item) => lines(item).map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`)));
  }
  return Object.entries(value).flatMap(([key, item]) =>
    isFlat(item) ? [`${scalar(key)}: ${inline(item)}`] : [`${scalar(key)}:`, ...lines(item).map((line) => `  ${line}`)]);
}

export const yaml = (value) => lines(value).join('\n');
