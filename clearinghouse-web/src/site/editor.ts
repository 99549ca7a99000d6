import { z } from 'zod';
import { clientUrl, wasmUrl } from './client.ts';
import { compilerUrl } from './compiler.ts';
import type { Route } from './route.ts';
import { nothingSchema } from './schemas.ts';
import { overviewOf } from './vessels.ts';

/** Where a program is written and run, all in the browser. */
export const editor: Route<object> = {
  method: 'get',
  path: '/run',
  summary: 'The editor; for programs, where its scripts are.',
  access: 'user',
  scope: 'vessels:read',
  body: nothingSchema,
  result: z.object({
    client: z.string(),
    worker: z.string(),
    wasm: z.string(),
    checker: z.string(),
    compiler: z.string(),
  }),
  handle: async (visit) => {
    const { vessels } = await overviewOf(visit);
    const scripts = {
      client: await clientUrl('run'),
      worker: await clientUrl('bundler'),
      wasm: await wasmUrl(),
      checker: await clientUrl('checker'),
      compiler: compilerUrl(),
    };
    return { json: scripts, page: { view: 'run', title: 'Write and run', data: { vessels, ...scripts } } };
  },
};
