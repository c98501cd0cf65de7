// The sidecar, and the backend behind it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { Told, toldBy } from './told.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PROGRAM = resolve(ROOT, process.env.SIDEBEAT ?? 'target/debug/sidebeat');

/** A WebSocket backend that tells what it sees, and does what messages ask of it. */
export class Backend {
  told = new Told();
  connections = [];

  static async start() {
    const backend = new Backend();
    backend.http = createServer();
    backend.server = new WebSocketServer({ noServer: true });
    backend.http.on('upgrade', (request, socket, head) => backend.#upgrade(request, socket, head));
    backend.http.listen(0, '127.0.0.1');
    await once(backend.http, 'listening');
    backend.port = backend.http.address().port;
    return backend;
  }

  #upgrade(request, socket, head) {
    const { pathname: path } = new URL(request.url, 'ws://backend');
    this.told.add({ event: 'asked', path });
    if (path === '/forbidden') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.server.handleUpgrade(request, socket, head, (ws) => this.#talk(ws, path));
  }

  #talk(ws, path) {
    this.connections.push(ws);
    this.told.add({ event: 'opened', path });
    ws.on('error', () => {}); // `close` follows
    ws.on('close', (code, reason) => this.told.add({ event: 'closed', path, code, reason: reason.toString() }));
    ws.on('message', (data) => {
      const text = data.toString();
      this.told.add({ event: 'message', path, text });
      const { type, code, reason } = JSON.parse(text);
      if (type === 'ping') ws.send('{"type":"pong"}');
      if (type === 'close') ws.close(code, reason);
      if (type === 'drop') ws.terminate();
      if (type === 'echo') ws.send(text);
    });
  }

  end() {
    for (const ws of this.connections) ws.terminate();
    this.http.closeAllConnections();
    this.http.close();
  }
}

/** sidebeat in front of a backend. */
export class Sidecar {
  static async start(backend, settings = {}) {
    const sidecar = new Sidecar();
    sidecar.folder = mkdtempSync(join(tmpdir(), 'sidebeat-client-'));
    const file = join(sidecar.folder, 'proxy.yaml');
    const always = {
      listen: '127.0.0.1:0',
      upstream: `ws://127.0.0.1:${backend.port}`,
      heartbeat: { app: [{ preset: 'json' }] },
      log: { format: 'json' },
      metrics: 'off',
      admin: 'off',
    };
    writeFileSync(file, JSON.stringify({ ...always, ...settings })); // JSON is YAML
    sidecar.process = spawn(PROGRAM, ['run', '-c', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    sidecar.exited = once(sidecar.process, 'exit');
    sidecar.told = toldBy(sidecar.process);
    sidecar.address = (await sidecar.told.next({ event: 'listening' })).address;
    return sidecar;
  }

  get url() {
    return `ws://${this.address}`;
  }

  signal(name) {
    this.process.kill(name);
  }

  async end() {
    this.process.kill('SIGKILL');
    await this.exited;
    rmSync(this.folder, { recursive: true });
  }
}
