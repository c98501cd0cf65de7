// Calls to the admin API: the token, errors with their words, and the stream of events.

const KEY = 'sidebeat.token';

/** Longer than the API waits for any pong. */
const PATIENCE_MS = 20000;

/** An answer that is an error (RFC 9457), or none at all (status 0). */
export class ApiError extends Error {
  constructor(status, detail, problem = {}) {
    super(detail);
    this.status = status;
    this.problem = problem;
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

function headers() {
  return token.get() ? { authorization: `Bearer ${token.get()}` } : {};
}

/** The path below /api with its parameters; empty ones are left out. */
function address(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return `api/${path}${query ? `?${query}` : ''}`;
}

async function request(path, parameters, options) {
  let answer;
  try {
    answer = await fetch(address(path, parameters), { cache: 'no-store', headers: headers(), ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'no answer');
  }
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const words = problem.detail || problem.title || `status ${answer.status}`;
  throw new ApiError(answer.status, problem.field ? `${problem.field}: ${words}` : words, problem);
}

/** Calls and waits for the JSON: `{method, signal}`. Throws ApiError, or AbortError when the caller aborts. */
export async function call(path, parameters = {}, { method = 'GET', signal } = {}) {
  const late = AbortSignal.timeout(PATIENCE_MS);
  const answer = await request(path, parameters, { method, signal: signal ? AbortSignal.any([signal, late]) : late });
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'the answer broke off');
  }
}

/**
 * Reads server-sent events until the stream ends: `opened()` once, then `tell(name, data)` for each. EventSource cannot
 * send a token. Throws as `call` does.
 */
export async function listen(types, { opened, tell }, signal) {
  const answer = await request('events', { types: types.join(',') }, { signal });
  opened();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (pending + value).split('\n\n');
    pending = blocks.pop();
    for (const block of blocks) dispatch(block, tell);
  }
}

function dispatch(block, tell) {
  let name = 'message';
  const data = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    if (line.startsWith('data:')) data.push(line.slice(5).trimStart());
  }
  if (data.length > 0) tell(name, JSON.parse(data.join('\n')));
}
