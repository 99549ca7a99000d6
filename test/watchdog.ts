const GRACE_MS = 20_000;

/** A run that leaves something open after its last test fails and says so, instead of waiting for it for ever. */
export const mochaHooks = {
  afterAll(): void {
    const fail = (): void => {
      console.error(`expected nothing open after the tests, got: ${process.getActiveResourcesInfo().join(', ')}`);
      process.exit(1);
    };
    setTimeout(fail, GRACE_MS).unref();
  },
};
