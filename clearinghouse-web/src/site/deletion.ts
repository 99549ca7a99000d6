import type { z } from 'zod';
import { refusedPage } from './account-page.ts';
import { confirmPasskey, confirmPassword } from './confirm.ts';
import { becomeNobody } from './login.ts';
import type { Member, Route } from './route.ts';
import { deletionSchema, nothingSchema } from './schemas.ts';
import { memberOf } from './session.ts';

/** For good, and only by somebody who shows once more that it is his. */
export const deleteAccount: Route<z.infer<typeof deletionSchema>> = {
  method: 'post',
  path: '/account/delete',
  summary:
    'Delete the account: its vessels are emptied, its machines offered to nobody any more, its name given to nobody.',
  access: 'user',
  inPerson: true,
  body: deletionSchema,
  result: nothingSchema,
  problems: ['WRONG_PASSWORD', 'BAD_PASSKEY', 'TOO_MANY_REQUESTS', 'LAST_ADMINISTRATOR'],
  handle: async (visit, { current, response }) => {
    const member = memberOf(visit);
    const { account, store } = member;
    const { id } = account;
    if (response !== undefined) await confirmPasskey(member, response);
    else await confirmPassword(member, current ?? '');
    await store.closing.close({ actor: id, account: response === undefined ? account : id });
    tellOfDeletion(member, id);
    becomeNobody(visit);
    return { json: {}, redirect: '/?notice=deleted' };
  },
  refused: async (visit, error) => await refusedPage(visit, error, 'delete'),
};

/** Vessels and machines of an account that was just deleted are not what they were. */
export function tellOfDeletion({ queue, bus }: Member, account: string): void {
  queue.wake();
  bus.publish('vessel.changed', { account });
  bus.publish('node.changed', {});
}
