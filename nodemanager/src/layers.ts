import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { basename, extname, resolve } from 'node:path';
import { ConfigError, describeError } from '@potluck/protocol';
import { bundleLayer, LAYER_LIMITS } from '@potluck/repy-api';
import type { StatePaths } from './paths.ts';

/** Code of the node's owner, between every program of the node and the API. */
export interface Layer {
  readonly name: string;
  readonly source: string;
}

const IMPORT = /^\s*(?:import|export)\b[^;]*?['"]/m;

/**
 * Reads the layers of a configuration, in its order: the first is next to the API.
 * @param files relative to the state directory
 * @throws ConfigError CONFIG_BROKEN: it names the configuration, the layer, and what is wrong with it
 */
export async function loadLayers(files: readonly string[], paths: StatePaths): Promise<Layer[]> {
  const layers: Layer[] = [];
  for (const [index, file] of files.entries()) {
    try {
      const { name, source } = await bundled(resolve(paths.directory, file));
      layers.push({ name, source });
    } catch (cause) {
      const message = `expected security layers in ${paths.config}, got: layers.${index} "${file}": ${describeError(cause)}`;
      throw new ConfigError('CONFIG_BROKEN', message, { cause, details: { path: paths.config } });
    }
  }
  return layers;
}

/** An installed node has no bundler: there a layer is one file. */
async function bundled(path: string): Promise<Layer> {
  try {
    return await bundleLayer(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return await oneFile(path);
  }
}

/** Types become spaces, so that lines and columns stay. Exported for its test. */
export async function oneFile(path: string): Promise<Layer> {
  const text = await readFile(path, 'utf8');
  const bytes = Buffer.byteLength(text);
  const most = LAYER_LIMITS.layerBytes;
  if (bytes > most) throw broken(`a layer of at most ${most} bytes, got ${bytes}`);
  if (IMPORT.test(text)) throw broken('a layer in one file, for this node has no bundler, got one that imports');
  try {
    return { name: basename(path, extname(path)).concat('.js'), source: stripTypeScriptTypes(text) };
  } catch (error) {
    throw broken(`a layer that compiles, got ${describeError(error)}`);
  }
}

function broken(expected: string): ConfigError {
  return new ConfigError('CONFIG_BROKEN', `expected ${expected}`);
}
