import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { removeRuntime } from '../helper.ts';
import { runProgram } from '../process-helper.ts';
import { newPlace, precedence, WRONG } from './place.ts';

const run = async (source: string, place = newPlace()): Promise<string> => (await runProgram(source, place)).log;

describe('Seattle 1 to 8: messages', () => {
  after(removeRuntime);

  it('Seattle 1: sendmessage to a port nobody listens on returns the number of bytes, no error', async () => {
    const source = `const me = getmyip(); for (let i = 0; i < 3; i++) log(await sendmessage(me, 5002, 'h\\u00e9llo', me, 5001), await sendmess(me, 5003, 'x'), '');`;
    assert.equal(await run(source), '6 1 '.repeat(3));
  });

  it('Seattle 2: sendmessage of 9216 bytes works; 9217 raises RepyArgumentError', async () => {
    const source = `const me = getmyip(); const server = listenformessage(me, 5002);
      for (const most of ['x'.repeat(9216), '\\u20ac'.repeat(3072), new Uint8Array(9216)]) {
        log(await sendmessage(me, 5002, most, me, 5001), (await server.getmessage())[2].length, '');
        const more = typeof most === 'string' ? most + 'x' : new Uint8Array(9217);
        await sendmessage(me, 5002, more, me, 5001).catch((error) => log(error instanceof RepyArgumentError, ''));
      }
      // Of the first generation is what fits into a packet.
      log(await sendmess(me, 5002, 'x'.repeat(65507)), (await server.getmessage())[2].length, '');
      await sendmess(me, 5002, 'x'.repeat(65508)).catch((error) => log(error.code)); server.close();`;
    assert.equal(await run(source), '9216 9216 true 9216 3072 true 9216 9216 true 65507 65507 ARGUMENT');
  });

  it('Seattle 2: one that is too long because another sent it so ends nothing', async () => {
    const source = `const me = getmyip(); sendmessage(me, 5002, 'x'.repeat(9217), me, 5001); await sleep(0.01); log('alive');`;
    assert.equal(await run(source), 'alive');
  });

  it('Seattle 3: a foreign local address is AddressBindingError, after ResourceForbiddenError for an unlisted port', async () => {
    const source = `for (const [ip, port] of [['8.8.4.4', 5001], ['127.0.0.2', 5001], ['8.8.4.4', 6000], [getmyip(), 6000]])
      await sendmessage(getmyip(), 5002, 'x', ip, port).catch((error) => log(error.name, ''));`;
    const expected = 'AddressBindingError AddressBindingError ResourceForbiddenError ResourceForbiddenError ';
    assert.equal(await run(source), expected);
  });

  it('Seattle 4: to where it comes from is RepyArgumentError, in whatever spelling', async () => {
    const source = `const me = getmyip(); for (const ip of [me, '::ffff:' + me]) for (const call of [sendmessage, sendmess])
        await call(ip, 5001, 'x', me, 5001).catch((error) => log(error.code, ''));
      await sendmessage('::1', 5001, 'x', '0:0::1', 5001).catch((error) => log(error.code));`;
    assert.equal(await run(source), `${'ARGUMENT '.repeat(4)}ARGUMENT`);
  });

  it('Seattle 5: sending from a port that listens works, and the reply comes back to it', async () => {
    const source = `const me = getmyip(); const [one, two] = [listenformessage(me, 5001), listenformessage(me, 5002)];
      await sendmessage(me, 5002, 'ping', me, 5001);
      const [ip, port, ping] = await two.getmessage(); await sendmessage(ip, port, ping + ' pong', me, 5002);
      log((await one.getmessage()).slice(1)); one.close(); two.close();`;
    assert.equal(await run(source), '[5002, "ping pong"]');
  });

  it('Seattle 6: a second listener is AlreadyListeningError; after close there can be one again', async () => {
    const source = `const me = getmyip();
      for (let i = 0; i < 2; i++) {
        const server = listenformessage(me, 5001);
        for (const call of [() => listenformessage(me, 5001), () => listenformessage('::ffff:' + me, 5001), () => recvmess(me, 5001, () => {})])
          try { call(); log('taken'); } catch (error) { log(error.name, ''); }
        log(server.close(), getresources().usage.insockets, '');
      }`;
    assert.equal(await run(source), `${'AlreadyListeningError '.repeat(3)}true 0 `.repeat(2));
  });

  it('Seattle 7: UDP and TCP listeners may share a port number; each counts', async () => {
    const source = `const me = getmyip(); const udp = listenformessage(me, 5001); const tcp = await listenforconnection(me, 5001);
      log(getresources().usage.insockets, ''); udp.close(); log(getresources().usage.insockets, ''); tcp.close(); log(getresources().usage.insockets);`;
    assert.equal(await run(source), '2 1 0');
  });

  // Where Seattle's raised SocketWouldBlockError and was called again, this promise waits.
  it('Seattle 8: getmessage with no data waits; after close it is SocketClosedLocal; a second close returns false', async () => {
    const source = `const me = getmyip(); const server = listenformessage(me, 5001); let got = 'waits';
      const waiting = server.getmessage().then(([, , message]) => { got = message; });
      await sleep(0.02); log(got, ''); await sendmessage(me, 5001, 'now', me, 5002); await waiting; log(got, '');
      await sendmessage(me, 5001, 'dropped', me, 5002); await sleep(0.02);
      log(server.close(), server.close(), ''); await server.getmessage().catch((error) => log(error.name));`;
    assert.equal(await run(source), 'waits now true false SocketClosedLocalError');
  });
});

describe('Seattle: the errors of calls for messages', () => {
  after(removeRuntime);

  /** Somebody else has port 5003. */
  const checked = async (source: string, ...lines: string[]): Promise<void> => {
    const place = newPlace(...lines);
    const other = createSocket('udp4');
    other.bind(5003, place.address);
    await once(other, 'listening');
    assert.equal(await run(source, place), 'checked');
    other.close();
  };

  it('come in their order from sendmessage', async () => {
    const faults = `[['ARGUMENT', [[0, [...${WRONG.address}, ...${WRONG.machine}]]]], ['ARGUMENT', [[1, ${WRONG.port}]]], ['ARGUMENT', [[2, [...${WRONG.message}, 'x'.repeat(9217)]]]],
      ['ARGUMENT', [[3, [...${WRONG.address}, ...${WRONG.machine}]]]], ['ARGUMENT', [[4, ${WRONG.port}]]], ['ARGUMENT', [[0, [me]], [1, [5001]], [3, [me]], [4, [5001]]]],
      ['RESOURCE_FORBIDDEN', [[4, [6000, 1]]]], ['RESOURCE_FORBIDDEN', [[0, ['10.0.0.1', '127.0.0.2']]]], ['RESOURCE_FORBIDDEN', [[1, [22]]]],
      ['DUPLICATE_TUPLE', [[3, [me]], [4, [5003]]]], ['ADDRESS_BINDING', [[3, ['8.8.4.4', '127.0.0.2']]]]]`;
    await checked(precedence({ setup: '', call: 'sendmessage', right: "[me, 5002, 'x', me, 5001]", faults }));
  });

  it('come in their order from sendmess', async () => {
    const bad = "['', '0x7f.1', '1.2.3.256', '[::1]', '2130706433', 'a..b']";
    const faults = `[['ARGUMENT', [[0, ${WRONG.address}]]], ['ARGUMENT', [[1, ${WRONG.port}]]], ['ARGUMENT', [[2, [...${WRONG.message}, 'x'.repeat(65508)]]]],
      ['ARGUMENT', [[3, ${WRONG.address}]]], ['ARGUMENT', [[4, ${WRONG.port}]]], ['NETWORK_ADDRESS', [[0, ${bad}]]], ['NETWORK_ADDRESS', [[3, [...${bad}, 'localhost']]]],
      ['ARGUMENT', [[0, [me]], [1, [5001]], [3, [me]], [4, [5001]]]],
      ['RESOURCE_FORBIDDEN', [[4, [6000]]]], ['RESOURCE_FORBIDDEN', [[0, ['0.0.0.0', '224.0.0.1', '10.0.0.1']]]], ['RESOURCE_FORBIDDEN', [[1, [22]]]],
      ['DUPLICATE_TUPLE', [[3, [me]], [4, [5003]]]], ['ADDRESS_BINDING', [[3, ['8.8.4.4', '0.0.0.0']]]]]`;
    await checked(precedence({ setup: '', call: 'sendmess', right: "[me, 5002, 'x', me, 5001]", faults }));
  });

  for (const [call, bad] of [
    ['listenformessage', `['ARGUMENT', [[0, ${WRONG.machine}]]]`],
    ['recvmess', "['NETWORK_ADDRESS', [[0, ['', 'localhost', '0x7f.1', '1.2.3.256', '[::1]']]]]"],
  ] as const) {
    it(`come in their order from ${call}, that of no insocket last`, async () => {
      const faults = `[['ARGUMENT', [[0, ${WRONG.address}]]], ['ARGUMENT', [[1, ${WRONG.port}]]], ${bad},
        ['RESOURCE_FORBIDDEN', [[1, [6000, 22]]]], ['ALREADY_LISTENING', [[0, [me, '::ffff:' + me]], [1, [5002]]]], ['DUPLICATE_TUPLE', [[0, [me]], [1, [5003]]]],
        ['ADDRESS_BINDING', [[0, ['8.8.4.4', '2a00:1::7', '127.0.0.2']]]], ['RESOURCE_EXHAUSTED', [[1, [5001]]]]]`;
      const setup = 'const only = listenformessage(me, 5002);';
      await checked(precedence({ setup, call, right: '[me, 5001]', faults }), 'resource insockets 1');
      const options = `for (const options of [null, 7, 'binary', { encoding: 'latin1' }, { encoding: null }]) try { ${call}(getmyip(), 5001, options); log('taken'); } catch (error) { if (error.code !== 'ARGUMENT') log(error); } log('checked');`;
      assert.equal(await run(options), 'checked');
    });
  }

  it('are classes that a program may name, also those that no call raises here', async () => {
    const names =
      'RepyArgumentError ResourceExhaustedError ResourceForbiddenError NetworkAddressError AlreadyListeningError DuplicateTupleError CleanupInProgressError AddressBindingError InternetConnectivityError ConnectionRefusedError TimeoutError SocketClosedLocalError SocketClosedRemoteError SocketWouldBlockError LocalIPChangedError TCPServerSocketInvalidError';
    const source = `for (const name of ${JSON.stringify(names.split(' '))}) { const error = new globalThis[name]('x'); if (!(error instanceof RepyError && error instanceof Error && error.name === name && /^[A-Z_]+$/.test(error.code))) log(name); } log('all');`;
    assert.equal(await run(source), 'all');
  });
});
