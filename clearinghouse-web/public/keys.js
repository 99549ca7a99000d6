// Makes the user's Ed25519 pair in the browser. The private part goes into a download and nowhere else.

const make = document.getElementById('make-key');
const made = document.getElementById('key-made');
const trouble = document.getElementById('key-trouble');
const field = document.getElementById('publicKey');
const username = document.getElementById('username');
const form = document.getElementById('register');
const links = { private: document.getElementById('private-key'), public: document.getElementById('public-key') };

/** The members of RFC 8037, in the order in which the shell writes them. */
function jwkOf({ kty, crv, x, d }) {
  return d === undefined ? { kty, crv, x } : { kty, crv, x, d };
}

function offer(link, name, jwk) {
  if (link.href.startsWith('blob:')) URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify(jwk)}\n`], { type: 'application/jwk+json' }));
  link.download = name;
}

function complain(text) {
  trouble.textContent = text;
  trouble.hidden = text === '';
}

async function makeKey() {
  if (!username.reportValidity()) return;
  complain('');
  try {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    const jwk = await crypto.subtle.exportKey('jwk', pair.privateKey);
    const publicJwk = jwkOf({ ...jwk, d: undefined });
    offer(links.private, `${username.value}.private.jwk`, jwkOf(jwk));
    offer(links.public, `${username.value}.public.jwk`, publicJwk);
    field.value = JSON.stringify(publicJwk);
    made.hidden = false;
    make.textContent = 'Make another key';
    links.private.click();
  } catch (error) {
    complain(
      `This browser could not make an Ed25519 key (${error.message}). Make one in the shell, and paste its public part below.`,
    );
    document.getElementById('own-key').open = true;
  }
}

if (globalThis.crypto?.subtle === undefined) {
  complain(
    'A browser makes keys only over https. Make one in the shell with “genkeys NAME”, and paste its public part below.',
  );
  document.getElementById('own-key').open = true;
} else {
  make.hidden = false;
  make.addEventListener('click', makeKey);
}

form.addEventListener('submit', (event) => {
  if (field.value.trim() !== '') return;
  event.preventDefault();
  complain('One step is missing: make your key, or paste the public part of one that you have.');
  make.focus();
});
