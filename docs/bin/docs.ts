#!/usr/bin/env node
import { join } from 'node:path';
import { writeGenerated } from '../src/index.ts';

writeGenerated(join(import.meta.dirname, '../..'));
