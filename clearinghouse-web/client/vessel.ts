import {
  type FileName,
  fileNameSchema,
  keyIdSchema,
  type Signer,
  type VesselInfo,
  vesselNameSchema,
} from '@potluck/protocol';
import { byId, confirmed, make, onPress, say, sentenceOf } from './dom.ts';
import { FilesView } from './files-view.ts';
import { Graphs } from './graphs.ts';
import { keyPanel } from './key-panel.ts';
import { LogView } from './log-view.ts';
import { Nodes, type VesselRef } from './nodes.ts';
import { argumentsIn, endingInWords, stateInWords } from './words.ts';

/** So often the vessel is looked at. */
const LOOK_MS = 2000;

const { node, vessel: name } = byId('vessel').dataset;
const vessel: VesselRef = { node: keyIdSchema.parse(node), vessel: vesselNameSchema.parse(name) };
const log = new LogView({
  lines: byId('log'),
  status: byId('log-state'),
  pause: byId<HTMLButtonElement>('log-pause'),
  copy: byId<HTMLButtonElement>('log-copy'),
});
const program = byId<HTMLSelectElement>('program');
const buttons = ['run', 'stop', 'reset'].map((id) => byId<HTMLButtonElement>(id));

/** What goes on while the key is open. */
interface Session {
  readonly nodes: Nodes;
  readonly files: FilesView;
  readonly graphs: Graphs;
  readonly over: AbortController;
  next: number | undefined;
  isFollowing: boolean;
  info: VesselInfo | undefined;
}
let session: Session | undefined;

function begin(signer: Signer): void {
  const nodes = new Nodes(signer);
  const files = new FilesView({ nodes, vessel, onFiles: showPrograms });
  const graphs = new Graphs(byId('graphs'));
  session = { nodes, files, graphs, over: new AbortController(), next: undefined, isFollowing: false, info: undefined };
  byId('needs-key').hidden = false;
  log.clear();
  void watch(session);
  void files.show();
}

function end(): void {
  session?.over.abort();
  session?.nodes.close();
  session?.files.end();
  session = undefined;
  byId('needs-key').hidden = true;
  for (const button of buttons) button.disabled = true;
  say(byId('trouble'), '');
}

async function watch(own: Session): Promise<void> {
  while (!own.over.signal.aborted) {
    await look(own);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function look(own: Session): Promise<void> {
  const { nodes, over, graphs } = own;
  try {
    const { result } = await nodes.ask(vessel.node, 'GetVessels', {});
    const info = result.vessels.find((one) => one.name === vessel.vessel);
    const resources = await nodes.ask(vessel.node, 'GetVesselResources', { vessel: vessel.vessel });
    if (over.signal.aborted || info === undefined) return;
    const isFirst = own.info === undefined;
    const hasBegun = info.state === 'Started' && (own.info?.state !== 'Started' || own.info.since !== info.since);
    own.info = info;
    showState(info);
    graphs.add(resources.result);
    say(byId('trouble'), '');
    if (isFirst || hasBegun) void follow(own);
  } catch (error) {
    if (!over.signal.aborted) say(byId('trouble'), sentenceOf(error));
  }
}

/** From where it was read last; one after the other, so that nothing is shown twice. */
async function follow(own: Session): Promise<void> {
  if (own.isFollowing) return;
  own.isFollowing = true;
  const { next } = await log.follow(own.nodes, vessel, { from: own.next, signal: own.over.signal });
  own.next = next;
  own.isFollowing = false;
}

function showState(info: VesselInfo): void {
  const { state, since, ending } = info;
  const element = byId('state');
  element.className = `state ${state === 'Started' ? 'on' : 'off'}`;
  element.textContent = stateInWords(state);
  byId('since').textContent =
    `since ${new Date(since).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })}`;
  const running = info.program === undefined || state === 'Fresh' ? 'none' : info.program;
  byId('running').textContent = running;
  say(byId('ending'), state === 'Started' ? '' : endingInWords(ending));
  const [run, stop, reset] = buttons;
  if (run !== undefined) run.disabled = state === 'Started' || program.value === '';
  if (stop !== undefined) stop.disabled = state !== 'Started';
  if (reset !== undefined) reset.disabled = false;
}

function showPrograms(names: readonly FileName[]): void {
  const programs = names.filter((file) => file.endsWith('.js'));
  const { value } = program;
  program.replaceChildren(...programs.map((file) => make('option', { value: file, textContent: file })));
  if (programs.some((file) => file === value)) program.value = value;
  if (session?.info !== undefined) showState(session.info);
}

/** Asks for something that changes the vessel, and looks at it at once. */
async function change(task: (own: Session) => Promise<unknown>): Promise<void> {
  const own = session;
  if (own === undefined) return;
  say(byId('action-trouble'), '');
  try {
    await task(own);
  } catch (error) {
    say(byId('action-trouble'), sentenceOf(error));
  }
  await look(own);
}

onPress(byId('run'), async () => {
  const args = argumentsIn(byId<HTMLInputElement>('arguments').value);
  await change(async ({ nodes }) => {
    const params = { vessel: vessel.vessel, program: fileNameSchema.parse(program.value), args };
    await nodes.ask(vessel.node, 'StartVessel', params);
  });
});
onPress(byId('stop'), async () => {
  await change(async ({ nodes }) => await nodes.ask(vessel.node, 'StopVessel', { vessel: vessel.vessel }));
});
onPress(byId('reset'), async () => {
  if (!(await confirmed('Reset the vessel? Its program stops, and its files and its log are erased.', 'Reset'))) return;
  await change(async ({ nodes, files }) => {
    await nodes.ask(vessel.node, 'ResetVessel', { vessel: vessel.vessel });
    log.clear();
    await files.show();
  });
});

await keyPanel((signer) => {
  end();
  if (signer !== undefined) begin(signer);
});
