import assert from 'node:assert/strict';
import { loadPlaces } from '../src/index.ts';

describe('places of addresses', () => {
  const places = loadPlaces();

  const known: [address: string, country: string][] = [
    ['193.0.0.1', 'NL'],
    ['::ffff:193.0.0.1', 'NL'],
    ['2001:67c:2e8::1', 'NL'],
    ['128.208.1.1', 'US'],
    ['41.0.0.1', 'ZA'],
  ];
  for (const [address, country] of known) {
    it(`${address} is in ${country}`, () => assert.equal(places.placeOf(address)?.country, country));
  }

  const unknown = [
    '127.0.0.1',
    '::1',
    '10.0.0.7',
    '192.168.1.1',
    '169.254.0.1',
    'fe80::1',
    'fd00::1',
    '224.0.0.1',
    '0.0.0.0',
  ];
  for (const address of [...unknown, '192.0.2.1', '2001:db8::1', 'example.org', '', '193.0.0', 'fe80::1%eth0']) {
    it(`"${address}" is in no country`, () => assert.equal(places.placeOf(address), undefined));
  }

  it('each country has a name and a place on the globe', () => {
    assert.ok(places.countries.length > 240);
    for (const { country, name, latitude, longitude } of places.countries) {
      assert.match(country, /^[A-Z]{2}$/);
      assert.ok(name.length > 2 && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180, country);
    }
    const netherlands = places.placeOf('193.0.0.1');
    assert.equal(netherlands?.name, 'Netherlands');
    assert.ok(Math.hypot((netherlands?.latitude ?? 0) - 52, (netherlands?.longitude ?? 0) - 5.5) < 1);
  });

  it('the same data is read once', () => assert.equal(loadPlaces(), places));
});
