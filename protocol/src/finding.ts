/** What was looked at, whether it is well, and one sentence; where it is not, the sentence says what to do. */
export interface Finding {
  readonly what: string;
  readonly state: 'well' | 'warning' | 'wrong';
  readonly text: string;
}

export const well = (what: string, text: string): Finding => ({ what, state: 'well', text });
export const warning = (what: string, text: string): Finding => ({ what, state: 'warning', text });
export const wrong = (what: string, text: string): Finding => ({ what, state: 'wrong', text });

const MARKS = { well: 'well   ', warning: 'note   ', wrong: 'WRONG  ' } as const;

/** @returns a line for each. */
export function describeFindings(findings: readonly Finding[]): string[] {
  return findings.map(({ what, state, text }) => `${MARKS[state]} ${what}: ${text}`);
}
