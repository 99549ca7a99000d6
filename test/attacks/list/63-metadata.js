/**
 * 63 metadata: asks for the passwords that clouds keep at link-local addresses, by number and by name
 * expected: held
 */
import { refused, verdict } from '../inside/tell.js';

const PLACES = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.0.1',
  '100.100.100.200',
  '192.0.0.192',
  'fd00:ec2::254',
  'fe80::a9fe:a9fe',
  'fe80::1%lo',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '2002:a9fe:a9fe::1',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '0.0.0.0',
  '[fd00:ec2::254]',
  'metadata',
  'instance-data',
];
for (const place of PLACES) {
  for (const port of [80, 8080]) {
    await refused(`connect ${place} ${port}`, () => openconn(place, port, { timeout: 1 }));
    await refused(`send ${place} ${port}`, () => sendmess(place, port, 'GET / HTTP/1.0\r\n\r\n'));
  }
}
verdict();
