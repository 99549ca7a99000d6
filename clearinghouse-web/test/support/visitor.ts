// Somebody on a machine of its own, see `machine.ts`: registers at a portal, or dials a gateway as a node does.
// Usage: visitor.ts register URL NAME | visitor.ts ask URL | visitor.ts join GATEWAY
import { Api } from './api.ts';
import { GatewayNode } from './gateway-node.ts';

const [what, where = '', name = ''] = process.argv.slice(2);
if (what === 'register') {
  const { status, text } = await (await new Api(where).open()).register(name);
  if (status >= 300) throw new TypeError(text);
} else if (what === 'ask') {
  const { status, headers } = await new Api(where).get('/session');
  process.stdout.write(`${status} ${headers.getSetCookie().join(' ')}\n`);
} else {
  (await new GatewayNode().dial(JSON.parse(where))).hangUp();
}
process.exit(0);
