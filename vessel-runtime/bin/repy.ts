#!/usr/bin/env node
import { repy } from '../src/repy/command.ts';

process.exitCode = await repy(process.argv.slice(2));
