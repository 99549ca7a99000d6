// Makes the user's Ed25519 pair in the browser, or reads it from his own file, and signs for whom it is. The private part
// goes into a download and nowhere else.

const claim = document.querySelector('[data-audience]');
const part = (name) => claim.querySelector(`[data-key="${name}"]`);
const form = claim.closest('form');
const field = form.elements.keyProof;
const { audience, subject } = claim.dataset;
/** By the site's clock, for this machine's may be wrong. */
const clock = () => Math.floor((Number(claim.dataset.now) + performance.now()) / 1000);

/** The members of RFC 8037, in the order in which the shell writes them. */
function jwkOf({ kty, crv, x, d }) {
  return d === undefined ? { kty, crv, x } : { kty, crv, x, d };
}

function encoded(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** As `signKeyProof` of `protocol`. */
async function prove(privateKey, jwk) {
  const header = { alg: 'EdDSA', typ: 'potluck-key-proof', jwk: jwkOf({ ...jwk, d: undefined }) };
  const text = new TextEncoder();
  const part = (value) => encoded(text.encode(JSON.stringify(value)));
  const signed = `${part(header)}.${part({ audience, subject, iat: clock() })}`;
  const signature = await crypto.subtle.sign('Ed25519', privateKey, text.encode(signed));
  return `${signed}.${encoded(new Uint8Array(signature))}`;
}

function offer(link, name, jwk) {
  if (link.href.startsWith('blob:')) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify(jwk)}\n`], { type: 'application/jwk+json' }));
  link.download = name;
}

function complain(text) {
  part('trouble').textContent = text;
  part('trouble').hidden = text === '';
}

function nameOfFile() {
  return claim.dataset.name ?? form.elements.username.value;
}

/** So that the new account need not open its file: as `client/key.ts` keeps keys. @param privateKey that no script can read out */
async function keep(privateKey, { crv, kty, x }) {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify({ crv, kty, x })));
  const id = encoded(new Uint8Array(digest));
  const opening = indexedDB.open('potluck-keys', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('keys', { keyPath: 'id' });
  opening.onsuccess = () => {
    const writing = opening.result.transaction('keys', 'readwrite');
    writing.objectStore('keys').put({ id, publicJwk: { kty, crv, x }, privateKey });
    writing.oncomplete = () => opening.result.close();
  };
}

async function makeKey() {
  if (form.elements.username?.reportValidity() === false) return;
  complain('');
  try {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    const jwk = await crypto.subtle.exportKey('jwk', pair.privateKey);
    offer(part('private'), `${nameOfFile()}.private.jwk`, jwkOf(jwk));
    offer(part('public'), `${nameOfFile()}.public.jwk`, jwkOf({ ...jwk, d: undefined }));
    field.value = await prove(pair.privateKey, jwk);
    await keep(await crypto.subtle.importKey('jwk', jwkOf(jwk), 'Ed25519', false, ['sign']), jwk);
    part('made').hidden = false;
    part('make').textContent = 'Make another key';
    part('private').click();
  } catch (error) {
    complain(
      `This browser could not make an Ed25519 key (${error.message}). Make one in the shell with “genkeys NAME”, and open its file here.`,
    );
    part('own').open = true;
  }
}

async function openFile() {
  complain('');
  try {
    const jwk = JSON.parse(await part('file').files[0].text());
    if (jwk.d === undefined) throw new TypeError('it has no private part');
    const key = await crypto.subtle.importKey('jwk', jwkOf(jwk), 'Ed25519', false, ['sign']);
    field.value = await prove(key, jwk);
    await keep(key, jwk);
    part('opened').hidden = false;
  } catch (error) {
    complain(`Expected a file such as NAME.private.jwk, got another: ${error.message}.`);
  }
}

if (globalThis.crypto?.subtle === undefined) {
  complain('A browser makes and opens keys only over https. Use the shell: “genkeys NAME”, then “provekey USERNAME”.');
  part('own').open = true;
} else {
  part('make').hidden = false;
  part('choose').hidden = false;
  part('make').addEventListener('click', makeKey);
  part('file').addEventListener('change', openFile);
}

form.addEventListener('submit', (event) => {
  if (field.value.trim() !== '') return;
  event.preventDefault();
  complain('One step is missing: make your key, or open the file of one that you have.');
  part('make').focus();
});
