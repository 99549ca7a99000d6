/**
 * 50 rejections: leaves 200,000 rejections unhandled, waits for ever, and enters generators again while they run
 * expected: error or killed: memory
 */
const generator = (async function* again() {
  try {
    yield await generator.return(again());
  } finally {
    generator.next();
    generator.throw(new Error('x')).catch(() => {});
  }
})();
generator.next().catch(() => {});
for (let at = 0; at < 1000; at++) (async () => await new Promise(() => {}))();
settimer(0, () => {
  for (let at = 0; at < 200_000; at++) Promise.reject(new Error(`${at}`));
});
