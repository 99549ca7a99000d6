import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Half of a start is compiling; all that the demonstration starts find it done after the first time.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '..', '..', '.potluck', 'compiled');
enableCompileCache(process.env.NODE_COMPILE_CACHE);
const { main } = await import('./cli.ts');

process.exitCode = await main(process.argv.slice(2));
