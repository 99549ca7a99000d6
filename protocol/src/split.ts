import { RequestError } from './errors.ts';
import { PORT_NAMES, QUANTITY_NAMES, type QuantityName } from './resources.ts';
import { mostOf, type Restrictions, stepsPerUnit } from './restrictions.ts';

/**
 * Seattle's arithmetic: `rest = whole - offcut - wanted`, for every quantity and every port; the destination rules stay
 * with both. It is exact: `joinRestrictions(wanted, rest, offcut)` is the whole again.
 * @param wanted without destination rules. @param offcut what the split costs; without ports.
 * @returns the two parts. @throws RequestError QUOTA_EXCEEDED: it names each resource and by how much; BAD_PARAMETERS
 */
export function splitRestrictions(
  whole: Restrictions,
  wanted: Restrictions,
  offcut: Restrictions,
): { wanted: Restrictions; rest: Restrictions } {
  if (wanted.destinations.length > 0) {
    throw new RequestError(
      'BAD_PARAMETERS',
      'expected resources to split off, got destination rules: they stay the same',
    );
  }
  const lacking = QUANTITY_NAMES.flatMap((name) => {
    const most = subtract(name, whole.quantities[name], offcut.quantities[name]);
    const got = wanted.quantities[name];
    return got > most
      ? [`${name} ${got} (${most < 0 ? 'the offcut alone is more than there is' : `at most ${most}`})`]
      : [];
  });
  for (const name of PORT_NAMES) {
    const foreign = [...wanted[name].difference(whole[name])];
    if (foreign.length > 0) lacking.push(`${name} ${foreign.join(' ')} (not of this vessel)`);
  }
  if (lacking.length > 0) {
    const message = `expected no more than the vessel has beside the offcut, got ${lacking.join(', ')}`;
    throw new RequestError('QUOTA_EXCEEDED', message.slice(0, 2000));
  }
  const rest = combine((name) => {
    return subtract(name, subtract(name, whole.quantities[name], offcut.quantities[name]), wanted.quantities[name]);
  });
  const { destinations } = whole;
  return {
    wanted: { ...wanted, destinations },
    rest: {
      quantities: rest,
      messport: whole.messport.difference(wanted.messport),
      connport: whole.connport.difference(wanted.connport),
      destinations,
    },
  };
}

/**
 * `first + second + offcut`, and the ports of both.
 * @throws RequestError BAD_STATE: their destination rules differ, or a sum is more than a vessel may have
 */
export function joinRestrictions(first: Restrictions, second: Restrictions, offcut: Restrictions): Restrictions {
  if (JSON.stringify(first.destinations) !== JSON.stringify(second.destinations)) {
    throw new RequestError('BAD_STATE', 'expected two vessels with the same destination rules, got different ones');
  }
  const quantities = combine((name) => {
    const sum = [first, second, offcut].reduce((total, { quantities: part }) => total + stepsOf(name, part[name]), 0);
    const value = sum / stepsPerUnit(name);
    if (value <= mostOf(name)) return value;
    throw new RequestError('BAD_STATE', `expected at most ${mostOf(name)} ${name} in one vessel, got ${value}`);
  });
  return {
    quantities,
    messport: first.messport.union(second.messport),
    connport: first.connport.union(second.connport),
    destinations: first.destinations,
  };
}

function combine(quantityOf: (name: QuantityName) => number): Record<QuantityName, number> {
  return Object.fromEntries(QUANTITY_NAMES.map((name) => [name, quantityOf(name)])) as Record<QuantityName, number>;
}

/** Whole numbers are added and taken away without a remainder; fractions are not. */
function stepsOf(name: QuantityName, value: number): number {
  return Math.round(value * stepsPerUnit(name));
}

function subtract(name: QuantityName, from: number, value: number): number {
  return (stepsOf(name, from) - stepsOf(name, value)) / stepsPerUnit(name);
}
