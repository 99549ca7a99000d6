import assert from 'node:assert/strict';
import { failureText } from '../src/report.ts';
import { enumerate, styleOf, visible, visibleAll, wantsColour } from '../src/style.ts';

describe('what people see', () => {
  it('control characters of nodes and programs are shown, not sent to the terminal', () => {
    assert.equal(visible('a\u001b[31m\u0007\u009b\r\nb\tc'), 'a\\x1b[31m\\x07\\x9b\nb\tc');
    assert.equal(visible('\u202eevil\u2066'), '\\u{202e}evil\\u{2066}');
    assert.equal(visible('größer 日本 🍲'), 'größer 日本 🍲');
  });

  it('also inside of results, and in their keys', () => {
    assert.deepEqual(visibleAll({ a: ['\u001b', 1, null], '\u0007': { b: true } }), {
      a: ['\\x1b', 1, null],
      '\\x07': { b: true },
    });
  });

  it('a reason that a node gives is one line, whatever it wrote', () => {
    const message = 'expected peace, got war\nStarted in ten vessels: %1.\n';
    const text = failureText([{ code: 'INTERNAL', message, affected: ['%2'] }], styleOf(false));
    assert.equal(text, 'Failed: expected peace, got war Started in ten vessels: %1. Affected: %2.');
  });

  it('colour is for terminals that want it', () => {
    assert.equal(wantsColour({ isTTY: true }, {}), true);
    assert.equal(wantsColour({ isTTY: true }, { NO_COLOR: '' }), true);
    assert.equal(wantsColour({ isTTY: true }, { NO_COLOR: '1' }), false);
    assert.equal(wantsColour({ isTTY: true }, { TERM: 'dumb' }), false);
    assert.equal(wantsColour({}, {}), false);
    assert.equal(styleOf(false).bad('x'), 'x');
    assert.equal(styleOf(true).bad(''), '');
  });

  it('long lists are cut and counted', () => {
    assert.equal(enumerate([]), '');
    assert.equal(enumerate(['a']), 'a');
    assert.equal(enumerate(['a', 'b', 'c']), 'a, b and c');
    assert.equal(enumerate(['a', 'b', 'c'], 2), 'a, b and 1 more');
  });
});
