#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';

// Half of a start is compiling. What was compiled is kept beside the sources: who may change it there may change those too.
enableCompileCache(join(import.meta.dirname, '..', '..', '.potluck', 'compiled'));
const { main } = await import('../src/cli.ts');

// A node that hangs keeps its socket open; nobody waits for it once the work is done.
process.exit(await main(process.argv.slice(2), process));
