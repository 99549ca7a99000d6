import { CONNECTIONS } from './calls/connections.ts';
import { FILES } from './calls/files.ts';
import { LOCAL, TASKS, TIMERS } from './calls/local.ts';
import { MESSAGES } from './calls/messages.ts';
import { URLS_AND_DIGESTS } from './calls/urls.ts';
import { WEB } from './calls/web.ts';

/** What a spoiled realm must not touch: the calls of Repy itself. */
const OWN = [...MESSAGES, ...CONNECTIONS, ...FILES, ...LOCAL];

/** The grammar, as themes: a program keeps to one of them, so that its calls have to do with each other. */
export const THEMES = {
  usual: [MESSAGES, CONNECTIONS, FILES, TIMERS, TASKS, WEB, URLS_AND_DIGESTS, [...OWN, ...WEB]],
  spoiled: [MESSAGES, CONNECTIONS, FILES, OWN],
};
