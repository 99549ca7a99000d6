// Keeps a page as it is now: when the site says that something has changed, the page is asked for again, and what is
// marked with `data-live` is taken from it. Rows with a `data-key` are compared one by one, so that focus and choice stay.

const AGAIN_MS = 2000;
const RECONNECT_MS = 15_000;
const COUNTDOWN_MS = 15_000;

const news = document.createElement('p');
news.className = 'unseen';
news.setAttribute('role', 'status');
document.body.append(news);

/** Polite: what is read out waits for the end of what is being read. */
function tell(changes) {
  if (changes.length === 0) return;
  news.textContent = changes.length > 3 ? `${changes.length} changes in the list.` : `${changes.join('. ')}.`;
}

function updateRows(old, fresh) {
  const changes = [];
  const before = new Map([...old.children].map((row) => [row.dataset.key, row]));
  for (const row of fresh.children) {
    const known = before.get(row.dataset.key);
    before.delete(row.dataset.key);
    if (known === undefined) {
      old.append(document.importNode(row, true));
      changes.push(`${row.dataset.name} is new`);
    } else if (known.dataset.state !== row.dataset.state || known.dataset.expires !== row.dataset.expires) {
      if (known.dataset.state !== row.dataset.state) changes.push(`${row.dataset.name} is ${row.dataset.state} now`);
      replaceRow(known, row);
    }
  }
  for (const row of before.values()) {
    changes.push(`${row.dataset.name} is gone`);
    row.remove();
  }
  return changes;
}

function replaceRow(known, row) {
  const focused = known.contains(document.activeElement) ? placeOf(document.activeElement) : undefined;
  const chosen = known.querySelector('input[type="checkbox"]')?.checked;
  known.innerHTML = row.innerHTML;
  for (const [name, value] of Object.entries(row.dataset)) known.dataset[name] = value;
  const box = known.querySelector('input[type="checkbox"]');
  if (box !== null && chosen !== undefined) box.checked = chosen;
  if (focused !== undefined) known.querySelector(focused)?.focus();
}

/** A selector that finds the same control in a fresh copy. */
function placeOf(element) {
  const attributes = ['id', 'name', 'value', 'formaction'].filter((name) => element.hasAttribute(name));
  return element.localName + attributes.map((name) => `[${name}="${CSS.escape(element.getAttribute(name))}"]`).join('');
}

const liveIn = (element) => [...element.querySelectorAll('[data-live]')].filter((inner) => inner.id !== '');

function update(old, fresh) {
  if (old.localName === 'tbody' && fresh.localName === 'tbody') return updateRows(old, fresh);
  const inner = liveIn(old).filter((one) => one.parentElement.closest('[data-live]') === old);
  const copies = inner.map((one) => fresh.querySelector(`#${CSS.escape(one.id)}`));
  const sameShape = inner.length > 0 && copies.every((copy) => copy !== null);
  if (sameShape) return inner.flatMap((one, index) => update(one, copies[index]));
  if (old.innerHTML === fresh.innerHTML) return [];
  const focused = old.contains(document.activeElement) ? placeOf(document.activeElement) : undefined;
  old.innerHTML = fresh.innerHTML;
  if (focused !== undefined) old.querySelector(focused)?.focus();
  return [];
}

async function refresh() {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!response.ok || response.redirected) return void document.dispatchEvent(new Event('refused'));
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  const changes = [];
  for (const old of liveIn(document).filter((one) => one.parentElement.closest('[data-live]') === null)) {
    const copy = fresh.getElementById(old.id);
    if (copy !== null) changes.push(...update(old, copy));
  }
  document.dispatchEvent(new Event('live'));
  tell(changes);
}

let due = false;
let busy = false;
/** One request at a time and not too often: what happens meanwhile is in the next. */
async function soon() {
  due = true;
  if (busy || document.hidden) return;
  busy = true;
  try {
    while (due && !document.hidden) {
      due = false;
      await refresh().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  } finally {
    busy = false;
  }
}

function listen() {
  const events = new EventSource('/events');
  let opened = 0;
  events.addEventListener('open', () => {
    opened += 1;
    // Something may have happened while nobody listened.
    if (opened > 1) void soon();
  });
  events.addEventListener('changed', () => void soon());
  events.addEventListener('error', () => {
    if (events.readyState !== EventSource.CLOSED) return;
    document.dispatchEvent(new Event('refused'));
    setTimeout(listen, RECONNECT_MS);
  });
}

function inWords(ms) {
  if (ms <= 0) return 'now';
  if (ms < 60_000) return 'in less than a minute';
  if (ms >= 2 * 86_400_000) return `in ${Math.round(ms / 86_400_000)} days`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  if (hours === 0) return `in ${minutes} min`;
  return minutes === 0 ? `in ${hours} h` : `in ${hours} h ${minutes} min`;
}

function countDown() {
  for (const time of document.querySelectorAll('time[data-until]')) {
    const words = inWords(Number(time.dataset.until) - Date.now());
    if (time.textContent !== words) time.textContent = words;
  }
}

// A refused form is answered at the address of what it asked, where no page is: asked again, by this or by the reader, it
// is the page that the form was on.
const { page } = document.querySelector('[data-page]')?.dataset ?? {};
if (page !== undefined && location.pathname !== page) history.replaceState(history.state, '', page);

if (document.querySelector('[data-live]') !== null) {
  listen();
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && due) void soon();
  });
}
setInterval(countDown, COUNTDOWN_MS);
