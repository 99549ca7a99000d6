#!/usr/bin/env node
import { bench } from './src/bench.ts';

process.exitCode = await bench(process.argv.slice(2));
