/** What the programs of the attacks share; bundled into each. */
const broken = [];

/** Facts about this world: addresses, ports, a mark for names of files. */
export const facts = JSON.parse(callargs[0]);
export const variant = callargs[1];
export const { ip } = facts;
export const [port, otherPort] = facts.ports;

/** Something that must be true. */
export function holds(name, truth) {
  if (truth !== true) broken.push(name);
}

/** Something that must fail, with an error of the program's own world, and with this code if one is given. */
export async function refused(name, attempt, code) {
  try {
    await attempt();
    broken.push(name);
  } catch (error) {
    if (!(error instanceof Error)) broken.push(`${name} threw what is no Error`);
    else if (code !== undefined && error.code !== code) broken.push(`${name} with ${error.code ?? error.name}`);
  }
}

/** Says what came of it, and ends. */
export function verdict() {
  log(`\nverdict: ${broken.length === 0 ? 'held' : `open: ${broken.slice(0, 20).join(', ')}`}\n`);
  exitall();
}
