// The types of the client, as TypeScript reads them in its JSDoc. Run as a program, it writes the .d.ts files anew.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CLIENT = fileURLToPath(new URL('../../../deploy/client/', import.meta.url));
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const STRICT = ['--strict', '--noUncheckedIndexedAccess', '--target', 'es2022', '--module', 'esnext'];
const BROWSER = ['--moduleResolution', 'bundler', '--lib', 'es2022,dom', '--skipLibCheck'];

/** Runs TypeScript in a folder that has these files; its complaints are errors. */
function tsc(files, options, use) {
  const folder = mkdtempSync(join(tmpdir(), 'sidebeat-types-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    execFileSync(process.execPath, [TSC, ...STRICT, ...BROWSER, ...options], { cwd: folder, encoding: 'utf8' });
    return use(folder);
  } catch (error) {
    throw new Error(error.stdout || error.message);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The files of the client that end so, by name. */
export function files(ending) {
  const names = readdirSync(CLIENT).filter((name) => name.endsWith(ending));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(CLIENT, name), 'utf8')]));
}

/** The .d.ts files that the code asks for. Without the old ones beside it, which TypeScript would believe. */
export function declarations() {
  const code = files('.js');
  const options = ['--allowJs', '--checkJs', '--declaration', '--emitDeclarationOnly', '--outDir', 'types'];
  return tsc(code, [...options, ...Object.keys(code)], (folder) => {
    const made = readdirSync(join(folder, 'types'));
    return Object.fromEntries(made.map((name) => [name, readFileSync(join(folder, 'types', name), 'utf8')]));
  });
}

/** Compiles a program that uses the client. */
export function compile(text) {
  tsc({ ...files('.js'), ...files('.d.ts'), 'use.ts': text }, ['--noEmit', 'use.ts'], () => {});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(declarations())) writeFileSync(join(CLIENT, name), text);
}
