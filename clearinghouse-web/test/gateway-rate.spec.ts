import assert from 'node:assert/strict';
import { join } from 'node:path';
import { generateIdentity, openPinnedSocket } from '@potluck/protocol';
import { pino } from 'pino';
import { LocalBus } from '../src/bus/local.ts';
import { Gateway } from '../src/gateway.ts';
import { Store } from '../src/store/store.ts';
import { temporaryDirectory } from './support/site.ts';

describe('the rate of new connections to the gateway', () => {
  it('gatewayDialsPerHostPerSecond, gatewayDialsPerHostBurst: one more of an address is dropped', async () => {
    await using directory = await temporaryDirectory();
    await using store = await Store.open(join(directory.path, 'clearinghouse.sqlite'));
    const logger = pino({ level: 'silent' });
    const identity = generateIdentity();
    // A thousandth of a connection a second: nothing is given back while this runs.
    const limits = { gatewayDialsPerHostPerSecond: 0.001, gatewayDialsPerHostBurst: 3 };
    const init = { identity, host: '127.0.0.1', port: 0, logger, limits };
    const gateway = new Gateway({ store, bus: new LocalBus({ logger }) }, init);
    await gateway.start();
    try {
      const dial = async (): Promise<void> => {
        const address = { host: '127.0.0.1', port: gateway.port };
        const { socket } = await openPinnedSocket({ address, key: identity.id, maxPayloadBytes: 1000 });
        socket.terminate();
      };
      for (let index = 0; index < limits.gatewayDialsPerHostBurst; index += 1) await dial();
      await assert.rejects(dial(), { code: 'UNREACHABLE' });
    } finally {
      await gateway.stop();
    }
  });
});
