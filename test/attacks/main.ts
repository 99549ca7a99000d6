import { attacks } from './cli.ts';

process.exitCode = await attacks(process.argv.slice(2));
