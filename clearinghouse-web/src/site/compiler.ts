import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { typesFile } from '@potluck/repy-api';
import { ASSETS } from './render.ts';

const PACKAGE = 'typescript6';
/** It asks for nothing from anywhere. */
const ENTRY = `export { default as ts } from '${PACKAGE}';\n`;
/** The standard library of the language, without that of browsers. */
const LIBRARY = /^lib\.(es(?!6)|decorators)(?!.*\.full\.).*\.d\.ts$/;

const require = createRequire(import.meta.url);
let url: string | undefined;

/**
 * The address of the compiler for browsers, with all that it must know of a vessel. Only who opens the editor loads it, and
 * only then it is made, which takes some seconds; its name changes with what it is made of.
 */
export function compilerUrl(): string {
  if (url !== undefined) return url;
  url = ASSETS.later(`client/${compilerName(ingredients())}`, make);
  return url;
}

/** @returns all that the script is made of, by what it is, as whoever has its name keeps it for a year */
export function ingredients(): Readonly<Record<string, string>> {
  return {
    recipe: readFileSync(import.meta.filename, 'utf8'),
    types: readFileSync(typesFile(), 'utf8'),
    bundler: versionOf('esbuild'),
    compiler: versionOf(PACKAGE),
  };
}

/** @returns another for other ingredients */
export function compilerName(made: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 12);
  return `typescript-${made.compiler}-${hash}.js`;
}

function versionOf(name: string): string {
  return JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8')).version;
}

/** @returns the types of the language and of the Repy API, by the names of their files */
export function declarations(): Record<string, string> {
  const folder = join(dirname(require.resolve(`${PACKAGE}/package.json`)), 'lib');
  const names = readdirSync(folder).filter((name) => LIBRARY.test(name));
  const language = names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  return { ...Object.fromEntries(language), 'repy.d.ts': readFileSync(typesFile(), 'utf8') };
}

async function make(): Promise<Buffer> {
  const esbuild = await import('esbuild');
  const { outputFiles } = await esbuild.build({
    stdin: { contents: ENTRY, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    legalComments: 'none',
    logLevel: 'silent',
    banner: {
      js: '/*! TypeScript: Copyright (c) Microsoft Corporation. Licensed under the Apache License, Version 2.0. */',
    },
  });
  const known = `export const declarations=${JSON.stringify(declarations())};\n`;
  return Buffer.concat([outputFiles[0]?.contents ?? Buffer.alloc(0), Buffer.from(known)]);
}
