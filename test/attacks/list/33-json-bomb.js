/**
 * 33 json-bomb: parses 5,000,000 brackets and an array of 10,000,000 elements
 * expected: held or killed: memory or error
 * variants: deep, wide
 * walls: rlimits
 * slow: yes
 * resource memory 40000000
 */
import { variant, verdict } from '../inside/tell.js';

try {
  if (variant === 'deep') JSON.parse('['.repeat(5_000_000));
  else JSON.parse(`[${'{},'.repeat(10_000_000)}1]`);
} catch {}
verdict();
