// Small comforts. Every page works without them.

// Where nobody is logged in, however that came, no key stays behind; a key that is just made for a new account does.
if (document.querySelector('.top.member') === null && location.pathname !== '/register') {
  globalThis.indexedDB?.deleteDatabase('potluck-keys');
}

for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const source = document.getElementById(button.dataset.copy);
    const text = source.value ?? source.textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
      said(button, 'Copied');
    } catch {
      // No clipboard outside https: leave the text chosen, so that the keyboard can copy it.
      if (source.select) source.select();
      else getSelection().selectAllChildren(source);
      said(button, 'Now press Ctrl+C');
    }
  });
}

function said(button, word) {
  const before = button.dataset.label ?? button.textContent;
  button.dataset.label = before;
  button.textContent = word;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    button.textContent = before;
  }, 1800);
}

const dialog = document.getElementById('confirm');
const yes = dialog.querySelector('[data-answer="yes"]');
let asking;
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-confirm]');
  if (button === null) return;
  event.preventDefault();
  asking = button;
  document.getElementById('confirm-text').textContent = button.dataset.confirm;
  yes.textContent = button.dataset.yes;
  dialog.showModal();
});
yes.addEventListener('click', () => {
  dialog.close();
  asking?.form.requestSubmit(asking);
  asking = undefined;
});
dialog.querySelector('[data-answer="no"]').addEventListener('click', () => dialog.close());
dialog.addEventListener('cancel', () => {
  asking = undefined;
});
dialog.addEventListener('close', () => {
  asking = undefined;
});

for (const form of document.querySelectorAll('form[data-busy]')) {
  form.addEventListener('submit', () => {
    const button = form.querySelector('button');
    button.setAttribute('aria-busy', 'true');
    button.textContent = form.dataset.busy;
    button.disabled = true;
  });
}
// Back to a page that the browser had kept: its buttons work again.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

// A page may stay open for longer than the log-in that it was made for: that may end elsewhere, or be another's by now.
// Who was refused something by the site says so, and whoever comes back to the page looks.
const loggedOut = document.getElementById('logged-out');
async function checkLogin() {
  const response = await fetch('/session', { headers: { accept: 'application/json' } });
  if (!response.ok) return;
  const { user } = await response.json();
  loggedOut.hidden = user?.username === loggedOut.dataset.user;
}
if (loggedOut !== null) {
  const check = () => void checkLogin().catch(() => undefined); // The site is away: that says nothing of anybody.
  document.addEventListener('refused', check);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) check();
  });
}
