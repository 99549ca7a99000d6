#!/usr/bin/env node
// Bundled as lib/installer.mjs of an archive and of an installation, whose root is the directory above.
import { dirname } from 'node:path';
import { controlMain } from '../src/cli.ts';

process.exitCode = await controlMain(dirname(import.meta.dirname), process.argv.slice(2));
