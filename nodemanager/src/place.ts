import { type DocumentNode, type MemberNode, parse, type ValueNode } from '@humanwhocodes/momoa';

/** Where something is in a text, from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The engine says it in its message, but not of every fault. */
const IN_MESSAGE = /\(line (\d+) column (\d+)\)$/;
/** What the place says already: the position, or a piece of the text around it. */
const AROUND = /( (at position \d+ )?\(line \d+ column \d+\)|, (\.\.\.)?".*is not valid JSON)$/s;

/** @returns where a text stops to be JSON, and what is wrong there, without the place. */
export function syntaxFault(text: string, error: unknown): { place: Place; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  const [, line, column] = IN_MESSAGE.exec(message) ?? [];
  const place = line === undefined ? parsersPlace(text) : { line: Number(line), column: Number(column) };
  return { place, message: message.replace(AROUND, '').replaceAll(/\s+/g, ' ') };
}

/** What ends too early is wrong at its end. */
function parsersPlace(text: string): Place {
  try {
    parse(text);
  } catch (error) {
    const { line, column, offset } = error as { line?: number; column?: number; offset?: number };
    if (line !== undefined && column !== undefined && offset !== 0) return { line, column };
  }
  const lines = text.trimEnd().split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** Finds the keys of a text that is JSON; of what is not there, the place of what should hold it. */
export class Places {
  readonly #document: DocumentNode | undefined;

  constructor(text: string) {
    try {
      this.#document = parse(text);
    } catch {
      // Nested deeper than the parser goes: faults are named by their keys alone.
    }
  }

  /** @param path of keys and indices @param key one that should not be where the path leads */
  of(path: readonly PropertyKey[], key?: string): Place | undefined {
    if (this.#document === undefined) return undefined;
    let value: ValueNode = this.#document.body;
    let at: MemberNode | ValueNode = value;
    for (const step of key === undefined ? path : [...path, key]) {
      const next: MemberNode | ValueNode | undefined = stepInto(value, step);
      if (next === undefined) break;
      at = next;
      value = next.type === 'Member' ? next.value : next;
    }
    const { line, column } = at.loc.start;
    return { line, column };
  }
}

function stepInto(node: ValueNode, step: PropertyKey): MemberNode | ValueNode | undefined {
  if (node.type === 'Array') return node.elements[Number(step)]?.value;
  if (node.type !== 'Object') return undefined;
  // The last of several is the one that counts.
  return node.members.findLast(({ name }) => (name.type === 'String' ? name.value : name.name) === step);
}
