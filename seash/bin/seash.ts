#!/usr/bin/env node
import process from 'node:process';
import { main } from '../src/cli.ts';

// A node that hangs keeps its socket open; nobody waits for it once the work is done.
process.exit(await main(process.argv.slice(2), process));
