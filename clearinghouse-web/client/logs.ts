import { byId, make, say } from './dom.ts';
import { badge, type Column, type Phase, showPhase } from './run-columns.ts';

/** From here on logs stand side by side. */
const SIDE_BY_SIDE = matchMedia('(min-width: 720px)');
const PHASES: readonly Phase[] = ['starting', 'running', 'reconnecting', 'ended', 'stopped', 'failed', 'lost'];
const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

interface Tab {
  readonly element: HTMLButtonElement;
  readonly badge: HTMLElement;
  readonly column: Column;
}

/** The logs of a run: side by side where there is room, else one of them behind its tab. */
export class Logs {
  readonly #tabs = byId('log-tabs');
  readonly #panels = byId('columns');
  #all: readonly Tab[] = [];
  #chosen = 0;
  #saying = false;

  constructor() {
    SIDE_BY_SIDE.addEventListener('change', () => this.#arrange());
    this.#tabs.addEventListener('keydown', (event) => {
      const step = STEPS[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.#choose(Math.min(this.#all.length - 1, Math.max(0, this.#chosen + step)));
      this.#all[this.#chosen]?.element.focus();
    });
  }

  get columns(): readonly Column[] {
    return this.#all.map(({ column }) => column);
  }

  /** In the place of those before. */
  show(columns: readonly Column[]): void {
    this.leave();
    this.#all = columns.map((column, index) => {
      const state = badge();
      const element = make(
        'button',
        { type: 'button', className: 'tab plain', role: 'tab', id: `log-tab-${index}` },
        make('span', { className: 'mono', textContent: column.target.label }),
        state,
      );
      element.setAttribute('aria-controls', `log-${index}`);
      element.addEventListener('click', () => this.#choose(index));
      column.element.id = `log-${index}`;
      return { element, badge: state, column };
    });
    this.#tabs.replaceChildren(...this.#all.map(({ element }) => element));
    this.#panels.replaceChildren(...columns.map(({ element }) => element));
    this.#panels.classList.toggle('many', columns.length > 6);
    byId('output').hidden = false;
    this.#chosen = Math.min(this.#chosen, columns.length - 1);
    this.#arrange();
    this.update();
  }

  /** Shows how it stands with each, and says how many. */
  update(): void {
    for (const { badge: state, column } of this.#all) showPhase(state, column.phase);
    // Those of one moment are said together.
    if (this.#saying) return;
    this.#saying = true;
    queueMicrotask(() => {
      this.#saying = false;
      const counts = Object.groupBy(this.columns, ({ phase }) => phase);
      const words = PHASES.flatMap((phase) => (counts[phase] === undefined ? [] : `${counts[phase].length} ${phase}`));
      say(byId('log-summary'), words.join(', '));
    });
  }

  /** Nobody looks at them any more; the programs go on. */
  leave(): void {
    for (const { column } of this.#all) column.leave();
  }

  #choose(index: number): void {
    this.#chosen = index;
    this.#arrange();
    this.#all[index]?.element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  #arrange(): void {
    const isTabbed = !SIDE_BY_SIDE.matches && this.#all.length > 1;
    this.#tabs.hidden = !isTabbed;
    for (const [index, { element, column }] of this.#all.entries()) {
      const isChosen = index === this.#chosen;
      element.setAttribute('aria-selected', String(isChosen));
      element.tabIndex = isChosen ? 0 : -1;
      column.element.hidden = isTabbed && !isChosen;
      if (isTabbed) column.element.setAttribute('role', 'tabpanel');
      else column.element.removeAttribute('role');
      if (!column.element.hidden) column.reveal();
    }
  }
}
