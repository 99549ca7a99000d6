#!/usr/bin/env node
import { buildMain } from '../src/build-cli.ts';

process.exitCode = await buildMain(process.argv.slice(2));
