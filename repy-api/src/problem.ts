import type { Message } from 'esbuild';

/** Something in a program that its author has to change, at its place in her own file. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** From the program's folder; the program itself as it was named where no place is known. */
  readonly file: string;
  /** From 1; 0 when no place is known. */
  readonly line: number;
  /** From 1, in UTF-16 units; 0 when no place is known. */
  readonly column: number;
  /** UTF-16 units that it is about. */
  readonly length: number;
  /** One sentence. */
  readonly message: string;
  /** The whole line, or ''. */
  readonly lineText: string;
}

/** @returns `file:line:column: sentence`. */
export function sentenceOf({ file, line, column, message }: Problem): string {
  return line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}

/** The bundler counts columns and lengths in bytes. */
export function problemOf({ text, location }: Message, program: string, severity: Problem['severity']): Problem {
  if (location === null) {
    return { severity, file: program, line: 0, column: 0, length: 0, message: text, lineText: '' };
  }
  const bytes = Buffer.from(location.lineText);
  const units = (end: number): number => bytes.subarray(0, end).toString().length;
  const before = units(location.column);
  return {
    severity,
    file: location.file,
    line: location.line,
    column: before + 1,
    length: units(location.column + location.length) - before,
    message: text,
    lineText: location.lineText,
  };
}
