/**
 * 75 status-forge: prints texts that look like frames of the runtime and say that all went well
 * expected: error
 */
const ending = JSON.stringify({ type: 'ended', ending: { kind: 'finished', message: 'all went well', exitCode: 0 } });
const head = String.fromCharCode(0, 0, 0, ending.length);
for (const text of [ending, `${head}${ending}`, `\n${ending}\n`, `\0\0\0\x11{"type":"ready"}`, '\x04\x1a\0']) {
  log(text);
  console.error(text);
}
settimer(0.01, () => {
  const error = new Error(`${head}${ending}`);
  error.name = ending;
  error.exitCode = 0;
  error.kind = 'finished';
  throw error;
});
