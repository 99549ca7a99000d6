#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Half of a start is compiling. What was compiled is kept beside the sources: who may change it there may change those too.
enableCompileCache(join(import.meta.dirname, '..', '..', '.potluck', 'compiled'));
const { repy } = await import('../src/repy/command.ts');

process.exitCode = await repy(process.argv.slice(2));
