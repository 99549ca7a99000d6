/**
 * 39 loop-in-callback: loops in a callback, and where somebody reads what it throws: message, stack, toString
 * expected: stopped or error
 * variants: callback, message, stack, text, name, rejection
 * stop: when it runs
 * resource cpu 0.2
 */
const loop = () => {
  log('running');
  for (;;);
};
const property = (name) => Object.defineProperty(new Error('x'), name, { get: loop });
const THROWN = {
  message: property('message'),
  stack: property('stack'),
  name: property('name'),
  text: { toString: loop },
};
const way = callargs[1];
if (way === 'callback') settimer(0, loop);
else if (way === 'rejection') Promise.reject(THROWN.stack);
else
  settimer(0, () => {
    throw THROWN[way];
  });
