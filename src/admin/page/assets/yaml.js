// The configuration in effect, written as proxy.yaml would have it.

/** A text that YAML reads as itself without quotes: no alias (`*` in front), no comment, no key (`:` at a word's end). */
const PLAIN = /^[A-Za-z0-9_./]([A-Za-z0-9_./:*@+-]*[A-Za-z0-9_./*@+-])?( [A-Za-z0-9_./*@+-]+)*$/;
const NO_TEXT = /^(true|false|null|yes|no|on|~|0x[0-9a-f]+|[-+]?\.(inf|nan)|[-+.]?[0-9][0-9_.eEoO+-]*)$/i;
/** What single quotes would fold or cannot hold; YAML reads JSON's texts as JSON does. */
const CONTROL = /\p{Cc}/u;

function scalar(value) {
  if (typeof value !== 'string' || CONTROL.test(value)) return JSON.stringify(value);
  return PLAIN.test(value) && !NO_TEXT.test(value) ? value : `'${value.replaceAll("'", "''")}'`;
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
