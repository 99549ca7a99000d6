// Passkeys: made on the page of the account, used on the page to log in.

import './webauthn.js';

const { startRegistration, startAuthentication, browserSupportsWebAuthn } = globalThis.SimpleWebAuthnBrowser;
const adding = document.getElementById('add-passkey');
const using = document.getElementById('use-passkey');
const deleting = document.getElementById('delete-by-passkey');
let trouble = document.getElementById('passkey-trouble');

function complain(text) {
  trouble.textContent = text;
  trouble.hidden = text === '';
}

async function ask(path, form, body = {}) {
  const response = await fetch(path, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      'x-csrf-token': form.elements._csrf.value,
    },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  throw new TypeError(answer.detail);
}

async function attempt(work) {
  complain('');
  try {
    await work();
  } catch (error) {
    complain(error.name === 'NotAllowedError' ? 'Nothing was done: the passkey was not given.' : `${error.message}.`);
  }
}

const isNumeric = /^[\d.]+$|^\[/.test(location.hostname);
if (browserSupportsWebAuthn() && !isNumeric) {
  for (const form of [adding, using, deleting]) if (form !== null) form.hidden = false;
} else if (adding !== null) {
  complain(
    isNumeric
      ? 'Passkeys need a site with a name: this page has a numeric address.'
      : 'This browser has no passkeys, or keeps them for https.',
  );
}

adding?.addEventListener('submit', (event) => {
  event.preventDefault();
  const { name, current } = adding.elements;
  void attempt(async () => {
    const { options } = await ask('/account/passkeys/options', adding);
    const response = await startRegistration({ optionsJSON: options });
    await ask('/account/passkeys', adding, { name: name.value, current: current.value, response });
    location.assign('/account?notice=passkey');
  });
});

using?.addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt(async () => {
    const { options } = await ask('/login/passkey/options', using);
    const response = await startAuthentication({ optionsJSON: options });
    const { next } = await ask('/login/passkey', using, { response, next: using.elements.next.value });
    location.assign(next);
  });
});

deleting?.addEventListener('submit', (event) => {
  event.preventDefault();
  trouble = document.getElementById('delete-trouble');
  void attempt(async () => {
    const { options } = await ask('/login/passkey/options', deleting);
    const response = await startAuthentication({ optionsJSON: options });
    await ask('/account/delete', deleting, { response });
    location.assign('/?notice=deleted');
  });
});
