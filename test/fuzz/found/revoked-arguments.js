// Asking whether a revoked proxy is an array throws an error of the engine's; the table has an argument error.
// Logs: RepyArgumentError
const { proxy, revoke } = Proxy.revocable([], {});
revoke();
try {
  settimer(1, () => {}, proxy);
} catch (error) {
  log(error.name);
}
exitall();
