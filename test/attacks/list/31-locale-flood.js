/**
 * 31 locale-flood: floods what keeps memory outside of the heap: locales, formats, normal forms
 * expected: held or killed: memory
 * walls: rlimits
 * slow: yes
 * resource memory 20000000
 */
import { holds, verdict } from '../inside/tell.js';

holds('no Intl', typeof Intl === 'undefined');
const text = 'e\u0301'.repeat(1000);
for (let round = 0; round < 20_000; round++) {
  (round + 0.5).toLocaleString(`de-${round % 26}`, { style: 'currency', currency: 'EUR' });
  new Date(round).toLocaleDateString('ar-EG', { dateStyle: 'full' });
  new Date(round).toLocaleTimeString('th-TH');
  'x'.localeCompare('y', `sv-${round % 26}`);
  'I'.toLocaleLowerCase('tr');
  if (round % 20 === 0) text.normalize(['NFC', 'NFD', 'NFKC', 'NFKD'][round % 4]);
}
verdict();
