/**
 * 36 send-huge: gives texts of 500,000,000 characters to calls that send, listen, connect and wait
 * expected: held
 * resource memory 60000000
 */
import { ip, otherPort, port, refused, verdict } from '../inside/tell.js';

const huge = 'x'.repeat(5e8);
await refused('sendmess', () => sendmess(ip, port, huge), 'ARGUMENT');
await refused('sendmess to', () => sendmess(huge, port, 'x'), 'ARGUMENT');
await refused('recvmess', () => recvmess(huge, port, log), 'ARGUMENT');
await refused('openconn', () => openconn(huge, port), 'ARGUMENT');
await waitforconn(ip, otherPort, () => {});
const sock = await openconn(ip, otherPort);
await refused('send', () => sock.send(huge), 'ARGUMENT');
await refused('recv', () => sock.recv(5e8), 'ARGUMENT');
if (typeof gethostbyname_ex === 'function') await refused('gethostbyname_ex', () => gethostbyname_ex(huge));
if (typeof openfile === 'function') {
  await refused('openfile', () => openfile(huge, true));
  const file = await openfile('file', true);
  await refused('write', () => file.writeat(huge, 0));
}
verdict();
