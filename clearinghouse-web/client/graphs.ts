import type { Result } from '@potluck/protocol';
import { make } from './dom.ts';
import { bytesInWords } from './words.ts';

/** How many looks a graph goes back. */
const POINTS = 60;
const WIDTH = 240;
const HEIGHT = 64;
const SVG = 'http://www.w3.org/2000/svg';

/** What is worth a graph, as people call it, and how its values are said. */
const SHOWN: Readonly<Record<string, { readonly title: string; say(value: number): string }>> = {
  cpu: { title: 'Processor, of a core', say: (value) => `${(100 * value).toFixed(value < 0.1 ? 1 : 0)} %` },
  memory: { title: 'Memory', say: bytesInWords },
  diskused: { title: 'Disk', say: bytesInWords },
  events: { title: 'Timers and tasks', say: String },
  insockets: { title: 'Listeners', say: String },
  outsockets: { title: 'Connections', say: String },
};

/** Used and limit of each resource over the last minutes. */
export class Graphs {
  readonly #host: HTMLElement;
  readonly #values = new Map<string, number[]>();
  readonly #figures = new Map<string, { readonly line: Element; readonly svg: Element; readonly text: HTMLElement }>();

  constructor(host: HTMLElement) {
    this.#host = host;
    host.replaceChildren();
  }

  add({ restrictions, usage }: Result<'GetVesselResources'>): void {
    const limits = limitsIn(restrictions);
    for (const [name, { title, say }] of Object.entries(SHOWN)) {
      const limit = limits.get(name);
      // A node says both, and may say what is no number, or is less than nothing.
      if (limit === undefined || !(limit > 0)) continue;
      const used = Math.max(0, usage[name] ?? 0);
      const values = [...(this.#values.get(name) ?? []), used].slice(-POINTS);
      this.#values.set(name, values);
      const figure = this.#figures.get(name) ?? this.#figure(name, title);
      const top = Math.max(limit, ...values);
      const x = (index: number) => (((POINTS - values.length + index) * WIDTH) / (POINTS - 1)).toFixed(1);
      const y = (value: number) => (HEIGHT - 2 - ((HEIGHT - 4) * value) / top).toFixed(1);
      figure.line.setAttribute('points', values.map((value, index) => `${x(index)},${y(value)}`).join(' '));
      const text = `${say(used)} of ${say(limit)}`;
      figure.text.textContent = text;
      const most = say(Math.max(...values));
      figure.svg.setAttribute('aria-label', `${title}: now ${text}, at most ${most} since this page was opened`);
    }
  }

  #figure(name: string, title: string) {
    const svg = document.createElementNS(SVG, 'svg');
    const line = document.createElementNS(SVG, 'polyline');
    const top = document.createElementNS(SVG, 'line');
    for (const [key, value] of Object.entries({
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      class: 'graph',
      preserveAspectRatio: 'none',
    })) {
      svg.setAttribute(key, value);
    }
    for (const [key, value] of Object.entries({ x1: '0', y1: '2', x2: String(WIDTH), y2: '2', class: 'graph-limit' })) {
      top.setAttribute(key, value);
    }
    line.setAttribute('class', 'graph-line');
    svg.append(top, line);
    const text = make('span', { className: 'muted' });
    this.#host.append(
      make(
        'figure',
        { className: 'resource' },
        make('figcaption', {}, make('strong', { textContent: title }), ' ', text),
        svg,
      ),
    );
    const figure = { line, svg, text };
    this.#figures.set(name, figure);
    return figure;
  }
}

/** Of the text form: lines `resource NAME VALUE`. */
function limitsIn(restrictions: string): Map<string, number> {
  const found = restrictions.matchAll(/^\s*resource\s+([a-z]+)\s+([\d.e+-]+)/gm);
  return new Map([...found].map(([, name = '', value = '']) => [name, Number(value)]));
}
