import { hintFor } from '@potluck/protocol';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { CommandError } from '../errors.ts';
import { readLocal } from '../upload.ts';
import { DEPLOY_LIMITS } from './limits.ts';
import { type Deployment, deploymentSchema, WORDS } from './schema.ts';

interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
}

interface FaultAt {
  /** The number of characters before it. */
  readonly at: number;
  readonly message: string;
}

/**
 * Reads what is declared; YAML, of which JSON is a part.
 * @throws CommandError FILE_MISSING, FILE_BROKEN, FILE_TOO_LARGE, DEPLOYMENT_BROKEN: every fault as `FILE:LINE:COLUMN: sentence`
 */
export async function readDeployment(path: string, shown: string): Promise<Deployment> {
  const bytes = await readLocal(path);
  const { yamlBytes } = DEPLOY_LIMITS;
  if (bytes.byteLength > yamlBytes) {
    throw new CommandError(
      'FILE_TOO_LARGE',
      `expected at most ${yamlBytes} bytes in ${shown}, got ${bytes.byteLength}`,
    );
  }
  return parseDeployment(Buffer.from(bytes).toString('utf8'), shown);
}

/** @throws CommandError DEPLOYMENT_BROKEN */
export function parseDeployment(text: string, shown: string): Deployment {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  const source = { document, lines };
  if (document.errors.length > 0) {
    const faults = document.errors.map(({ pos, message }) => ({ at: pos[0], message: oneLine(message) }));
    throw broken(source, shown, faults);
  }
  const value = plainOf(source, shown);
  const parsed = deploymentSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.flatMap((issue) => faultsOf(source, issue));
  throw broken(source, shown, faults);
}

/** @throws CommandError DEPLOYMENT_BROKEN: aliases that would grow without end */
function plainOf(source: Source, shown: string): unknown {
  try {
    return source.document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    const message = oneLine(cause instanceof Error ? cause.message : String(cause));
    throw broken(source, shown, [{ at: 0, message }]);
  }
}

function faultsOf(source: Source, issue: z.core.$ZodIssue): FaultAt[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code !== 'unrecognized_keys') {
    const name = path.length === 0 ? '' : `"${path.join('.')}": `;
    const missing = issue.code === 'invalid_type' && source.document.getIn(path) === undefined;
    const what = missing ? `${name}${oneLine(issue.message)}, got nothing` : `${name}${oneLine(issue.message)}`;
    return [{ at: offsetOf(source, path), message: what }];
  }
  const words = WORDS[String(path[0] ?? '')] ?? [];
  return issue.keys.map((key) => {
    const message = `expected one of ${words.join(', ')}, got "${key}"${hintFor(key, words)}`;
    return { at: offsetOf(source, path, key), message };
  });
}

/** Where a value stands, or the nearest one around it; with `key`, where that key stands. */
function offsetOf({ document }: Source, path: readonly (string | number)[], key?: string): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (!isNode(node)) continue;
    const found = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key
      : undefined;
    return (isNode(found) ? found : node).range?.[0] ?? 0;
  }
  return 0;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replace(/[:.]$/, '');
}

/** One sentence for each, in the order of their places. */
function broken({ lines }: Source, shown: string, faults: readonly FaultAt[]): CommandError {
  const sentences = faults
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, message }) => {
      const { line, col } = lines.linePos(at);
      return `${shown}:${Math.max(1, line)}:${Math.max(1, col)}: ${message}`;
    });
  return new CommandError('DEPLOYMENT_BROKEN', sentences.join('; '));
}
