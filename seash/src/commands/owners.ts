import { keyIdSchema, ownerInformationSchema, vesselInfoSchema } from '@potluck/protocol';
import { z } from 'zod';
import { ask, bulkSchema, onEach } from '../bulk.ts';
import { command } from '../command.ts';
import { keyNamed } from '../keys.ts';
import { refresher } from '../refresh.ts';
import { affectedText } from '../report.ts';
import { table } from '../style.ts';
import { onOrOff } from './settings.ts';

const rightsSchema = vesselInfoSchema.pick({ owner: true, users: true, ownerInformation: true, advertise: true });

/** `show WORD`: asks each node now; as an object it has all four facts, as a table the one that was asked for. */
function showRight(word: string, title: string, textOf: (info: z.infer<typeof rightsSchema>) => string) {
  return command({
    name: `show ${word}`,
    summary: `Show each vessel's ${title}.`,
    slots: [],
    example: `show ${word}`,
    leaves: word,
    result: bulkSchema(rightsSchema.shape),
    run: async (context) => {
      const refresh = refresher(context);
      return await onEach(context, context.vessels('%all'), async (target) => {
        const { owner, users, ownerInformation, advertise } = await refresh(target);
        return { owner, users, ownerInformation, advertise };
      });
    },
    render: ({ vessels }, style) => {
      const rows = vessels.map((vessel) => [vessel.name, textOf(vessel)]);
      return rows.length === 0 ? '' : table(['Vessel', word], rows, style);
    },
  });
}

const showOwner = showRight('owner', "owner's key", ({ owner }) => owner);
const showUsers = showRight('users', "users' keys", ({ users }) => users.join(' ') || '(none)');
const showInformation = showRight('ownerinfo', "owner's information", ({ ownerInformation }) => {
  return ownerInformation || '(none)';
});
const showAdvertise = showRight('advertise', 'advertising, on or off', ({ advertise }) => (advertise ? 'on' : 'off'));

const setOwner = command({
  name: 'set owner',
  summary: 'Give each vessel to another key: an identity, a key id or a public key file. It cannot be taken back.',
  slots: [{ name: 'KEY', kind: 'identity' }],
  example: 'on %1 set owner bob',
  leaves: 'owner',
  result: bulkSchema({ owner: keyIdSchema }),
  run: async (context, { KEY }) => {
    const owner = await keyNamed(context.session, KEY);
    return await onEach(context, context.vessels(), async (target) => {
      return (await ask(context, target, { method: 'ChangeOwner', params: { vessel: target.vessel, owner } })).result;
    });
  },
  render: ({ vessels }) => affectedText('Changed the owner', vessels),
});

const setUsers = command({
  name: 'set users',
  summary: 'Say whose keys may use each vessel, in the place of those that may now; without KEY, nobody but its owner.',
  slots: [{ name: 'KEY', kind: 'identity', rest: true }],
  example: 'on %1 set users alice bob',
  leaves: 'users',
  result: bulkSchema({ users: z.array(keyIdSchema) }),
  run: async (context, { KEY }) => {
    const users = await Promise.all(KEY.map((word) => keyNamed(context.session, word)));
    return await onEach(context, context.vessels(), async (target) => {
      return (await ask(context, target, { method: 'ChangeUsers', params: { vessel: target.vessel, users } })).result;
    });
  },
  render: ({ vessels }) => affectedText('Changed the users', vessels),
});

const setInformation = command({
  name: 'set ownerinfo',
  summary: "Note a line of TEXT as each vessel's owner's information; without TEXT, none.",
  slots: [{ name: 'TEXT', kind: 'text', rest: true }],
  example: 'on %1 set ownerinfo lab 3, second row',
  leaves: 'ownerinfo',
  result: bulkSchema({ ownerInformation: ownerInformationSchema }),
  run: async (context, { TEXT }) => {
    const text = TEXT.join(' ');
    return await onEach(context, context.vessels(), async (target) => {
      const params = { vessel: target.vessel, text };
      return (await ask(context, target, { method: 'ChangeOwnerInformation', params })).result;
    });
  },
  render: ({ vessels }) => affectedText("Changed the owner's information", vessels),
});

const setAdvertise = command({
  name: 'set advertise',
  summary: 'Say whether each node tells where the vessel is, to its owner and its users: on or off.',
  slots: [{ name: 'ON|OFF', kind: 'text' }],
  example: 'on %1 set advertise off',
  leaves: 'advertise',
  result: bulkSchema({ advertise: z.boolean() }),
  run: async (context, { 'ON|OFF': word }) => {
    const advertise = onOrOff(word);
    return await onEach(context, context.vessels(), async (target) => {
      const params = { vessel: target.vessel, advertise };
      return (await ask(context, target, { method: 'ChangeAdvertise', params })).result;
    });
  },
  render: ({ vessels }) => affectedText('Changed the advertising', vessels),
});

export const ownerCommands = [
  showOwner,
  showUsers,
  showInformation,
  showAdvertise,
  setOwner,
  setUsers,
  setInformation,
  setAdvertise,
];
