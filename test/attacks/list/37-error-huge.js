/**
 * 37 error-huge: throws an error of 300,000,000 characters, and one from 5,000 calls deep with a trace without end
 * expected: error or killed: memory
 * without governor: error or killed: memory or open: more than its memory
 * variants: long, deep, cause
 * slow: yes
 * resource memory 60000000
 */
const huge = 'x'.repeat(3e8);
try {
  Error.stackTraceLimit = 1e9;
} catch {}
if (callargs[1] === 'long') throw new Error(huge);
if (callargs[1] === 'cause') throw new Error('x', { cause: new AggregateError([new Error(huge)], huge) });
(function deep(at) {
  if (at === 0) throw new RangeError(huge);
  deep(at - 1);
})(5000);
