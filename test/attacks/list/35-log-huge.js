/**
 * 35 log-huge: logs a text of 400,000,000 characters, and an object that says it is as long
 * expected: held or killed: memory
 * without governor: held or killed: memory or open: more than its memory
 * slow: yes
 * resource memory 60000000
 */
import { verdict } from '../inside/tell.js';

const huge = 'x'.repeat(4e8);
log(huge);
console.log(huge, huge);
log({ toString: () => huge }, [huge, huge]);
verdict();
