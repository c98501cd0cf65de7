// Chromium without a screen, led over a pipe in the DevTools protocol.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Told } from './told.mjs';

const PROGRAM = process.env.CHROMIUM ?? 'chromium';
const CLIENT = fileURLToPath(new URL('../../../deploy/client/', import.meta.url));
const KINDS = { js: 'text/javascript', html: 'text/html' };

/** Serves deploy/client, and `/empty` for pages that only run a script of the test. */
async function serve() {
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, 'http://page').pathname.slice(1);
    const content = name === 'empty' ? '<!doctype html>' : await readFile(join(CLIENT, name)).catch(() => null);
    response.writeHead(content === null ? 404 : 200, { 'content-type': KINDS[name.split('.').at(-1)] ?? 'text/html' });
    response.end(content ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export class Chromium {
  #asked = 0;
  #answers = new Map();
  #pages = new Map();

  static async start() {
    const browser = new Chromium();
    browser.files = await serve();
    browser.folder = mkdtempSync(join(tmpdir(), 'sidebeat-chromium-'));
    const options = ['--headless', '--remote-debugging-pipe', `--user-data-dir=${browser.folder}`, '--no-first-run'];
    options.push('--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-proxy-server');
    options.push('--disable-component-update', '--disable-sync', '--no-default-browser-check', '--disable-extensions');
    options.push('--no-sandbox'); // which root and many containers cannot have; the pages are our own
    const stdio = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'];
    browser.process = spawn(PROGRAM, [...options, 'about:blank'], { stdio });
    browser.exited = new Promise((resolve, reject) => {
      browser.process.on('exit', resolve);
      browser.process.on('error', reject);
    });
    browser.exited.catch(() => {}); // the first command tells
    let rest = '';
    browser.process.stdio[4].setEncoding('utf8').on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      for (const message of messages) browser.#heard(JSON.parse(message));
    });
    browser.process.stdio[3].on('error', () => {});
    await browser.ask('Browser.getVersion');
    return browser;
  }

  #heard({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      this.#pages.get(sessionId)?.heard(method, params);
      return;
    }
    const { resolve, reject, asked } = this.#answers.get(id);
    this.#answers.delete(id);
    if (error) reject(new Error(`${asked}: ${error.message}`));
    else resolve(result);
  }

  ask(asked, params = {}, sessionId = undefined) {
    this.#asked += 1;
    const id = this.#asked;
    this.process.stdio[3].write(`${JSON.stringify({ id, method: asked, params, sessionId })}\0`);
    const answer = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject, asked }));
    const gone = this.exited.then(() => Promise.reject(new Error(`Chromium ended before it answered ${asked}`)));
    return Promise.race([answer, gone]);
  }

  /** A page of its own, as if alone in the browser. */
  async page(path) {
    const { browserContextId } = await this.ask('Target.createBrowserContext');
    const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, sessionId, browserContextId);
    this.#pages.set(sessionId, page);
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await page.ask(`${domain}.enable`);
    await page.ask('Runtime.addBinding', { name: 'tell' });
    await page.ask('Page.navigate', { url: `http://127.0.0.1:${this.files.address().port}/${path}` });
    await page.told.next({ event: 'Page.loadEventFired' });
    return page;
  }

  async end() {
    await Promise.race([this.ask('Browser.close').catch(() => {}), this.exited]);
    await this.exited;
    this.files.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

class Page {
  told = new Told();

  constructor(browser, sessionId, browserContextId) {
    Object.assign(this, { browser, sessionId, browserContextId });
  }

  ask(method, params) {
    return this.browser.ask(method, params, this.sessionId);
  }

  heard(method, params) {
    if (method === 'Runtime.bindingCalled') this.told.add(JSON.parse(params.payload));
    else if (method === 'Runtime.exceptionThrown') {
      this.told.add({ event: 'exception', text: params.exceptionDetails.exception?.description });
    } else if (method === 'Network.requestWillBeSent' || method === 'Network.webSocketCreated') {
      this.told.add({ event: 'request', url: params.request?.url ?? params.url });
    } else if (method === 'Page.loadEventFired') this.told.add({ event: method });
  }

  /** The result of a function in the page. */
  async run(code, ...given) {
    const expression = `(${code})(...${JSON.stringify(given)})`;
    const options = { awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.ask('Runtime.evaluate', { expression, ...options });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  offline(offline) {
    const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    return this.ask('Network.emulateNetworkConditions', { offline, ...unlimited });
  }

  /** Another tab comes to the front of the window. */
  async hide() {
    const hidden = this.run(() => new Promise((done) => document.addEventListener('visibilitychange', done, { once: true })));
    await this.browser.ask('Target.createTarget', { url: 'about:blank', browserContextId: this.browserContextId });
    await hidden;
  }

  show() {
    return this.ask('Page.bringToFront');
  }

  /** Waits until an element has this text in it. */
  shows(selector, text) {
    const look = (selector, text) =>
      new Promise((resolve) => {
        const element = document.querySelector(selector);
        const found = () => element.textContent.includes(text) && resolve();
        new MutationObserver(found).observe(element, { childList: true, characterData: true, subtree: true });
        found();
      });
    return this.run(look, selector, text);
  }

  /** A client in the page that tells its events under a name. URLs are taken in turn. */
  client(name, urls, options = {}) {
    return this.run(
      async (name, urls, options) => {
        const { SidebeatClient } = await import('/sidebeat-client.js');
        const client = new SidebeatClient((attempt) => urls[attempt % urls.length], options);
        for (const event of ['open', 'message', 'pong', 'close']) {
          client.addEventListener(event, ({ data, rtt, code, reason, wasClean, opened, comeback, delay }) => {
            const fields = { data, rtt, code, reason, wasClean, opened, comeback, delay, state: client.state };
            globalThis.tell(JSON.stringify({ client: name, event, at: performance.now(), ...fields }));
          });
        }
        (globalThis.clients ??= {})[name] = client;
      },
      name,
      urls,
      options,
    );
  }

  send(name, message) {
    return this.run((name, text) => globalThis.clients[name].send(text), name, JSON.stringify(message));
  }

  state(name) {
    return this.run((name) => globalThis.clients[name].state, name);
  }
}
