#!/usr/bin/env node
import { repy } from '../src/host/repy.ts';

process.exitCode = await repy(process.argv.slice(2));
