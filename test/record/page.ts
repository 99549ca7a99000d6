import { SCENES } from './scenes.ts';

/** The recorded session for reading. @param shown what each scene has shown */
export function pageOf(shown: readonly string[]): string {
  const scenes = SCENES.map(({ said, typed }, index) => {
    const answer = shown[index] ?? '';
    return `${said}\n\n\`\`\`\n!> ${typed}${answer === '' ? '' : `\n${answer}`}\n\`\`\`\n`;
  });
  return `# The first ten minutes

A newcomer at the shell, recorded from a real one on a clearinghouse and three nodes of one machine: \`node test/record/main.ts\`
writes this page and [first-ten-minutes.cast](first-ten-minutes.cast), which \`asciinema play\` shows as it was.

${scenes.join('\n')}`;
}

/** What of a page must stay the same from one recording to the next: not its keys, numbers, addresses nor their order. */
export function substanceOf(page: string): string[] {
  const lines = page.split('\n').map((line) => {
    return line
      .replaceAll(/[\w-]{43}/g, 'KEY')
      .replaceAll(/\/\S+\//g, 'DIR/')
      .replaceAll(/\d+/g, 'N')
      .replaceAll(/KEY|N(\.N)+/g, 'X')
      .replaceAll(/[\s─-]+/g, ' ')
      .trim();
  });
  return [...new Set(lines)].sort();
}
