#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Half of a start is compiling. What was compiled is kept beside the sources: who may change it there may change those too.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '..', '..', '.potluck', 'compiled'); // Also the backend's.
enableCompileCache(process.env.NODE_COMPILE_CACHE);
const { main } = await import('../src/cli.ts');

process.exit(await main(process.argv.slice(2)));
