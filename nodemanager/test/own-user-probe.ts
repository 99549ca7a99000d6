import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { codeOf } from '../src/errors.ts';
import { becomeOwnUser } from '../src/own-user.ts';

/** Started as root with a directory and a process of root's: becomes the own user, and says what it could still do. */
const [state = '', victim = ''] = process.argv.slice(2);

const codeOfTrying = (attempt: () => unknown): string => {
  try {
    attempt();
    return 'done';
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
};

const asUser = (uid: number): string => {
  const { error, stdout } = spawnSync('id', ['-u'], { uid, gid: uid, encoding: 'utf8' });
  return error === undefined ? stdout.trim() : 'refused';
};

if (process.getuid?.() === 0) {
  console.log(JSON.stringify({ stays: becomeOwnUser({ state, user: undefined, files: [] }) }));
} else {
  const tried = {
    users: [0, 1, 1000, 65_534, 60_001, 61_000, 61_001].map(asUser),
    shadow: codeOfTrying(() => readFileSync('/etc/shadow')),
    victim: codeOfTrying(() => process.kill(Number(victim), 0)),
    setuid: codeOfTrying(() => process.setuid?.(0)),
    groups: process.getgroups?.(),
    escalated: spawnSync('unshare', ['--user', '--map-root-user', 'cat', '/etc/shadow']).status,
  };
  console.log(JSON.stringify(tried));
}
