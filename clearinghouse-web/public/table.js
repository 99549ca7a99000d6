// Lists of which rows are chosen, found and sorted. Without this script all rows are there, in the site's order.

const FEW = 6;

const visible = (row) => !row.hidden;
const boxesOf = (root) => [...root.querySelectorAll('tbody input[name="handles"]')];
const boxOf = (row) => row.querySelector('input[name="handles"]');

function showChoice() {
  const boxes = boxesOf(document).filter((box) => visible(box.closest('tr')));
  const chosen = boxes.filter((box) => box.checked).length;
  for (const button of document.querySelectorAll('[data-needs-choice]')) button.disabled = chosen === 0;
  const all = document.getElementById('pick-all');
  if (all === null) return;
  all.hidden = false;
  all.checked = chosen > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
}

document.addEventListener('change', ({ target }) => {
  if (target.id === 'pick-all') {
    for (const box of boxesOf(target.closest('table'))) box.checked = target.checked && visible(box.closest('tr'));
  }
  if (target.id === 'pick-all' || target.name === 'handles') showChoice();
});

// The arrows go from row to row; with Shift they choose on their way.
document.addEventListener('keydown', (event) => {
  const box = event.target;
  if (box.name !== 'handles' || !['ArrowDown', 'ArrowUp'].includes(event.key)) return;
  event.preventDefault();
  const rows = [...box.closest('tbody').children].filter(visible);
  const next = rows[rows.indexOf(box.closest('tr')) + (event.key === 'ArrowDown' ? 1 : -1)];
  if (next === undefined) return;
  if (event.shiftKey) boxOf(next).checked = box.checked;
  boxOf(next).focus();
  showChoice();
});

const compare = new Intl.Collator('en', { numeric: true }).compare;

function sift(sieve) {
  const body = document.getElementById(sieve.dataset.sieve);
  const wanted = sieve.querySelector('[data-find]').value.trim().toLowerCase();
  const only = [...sieve.querySelectorAll('[data-only]')].filter(({ value }) => value !== '');
  const rows = [...body.children];
  for (const [index, row] of rows.entries()) row.dataset.order ??= index;
  for (const row of rows) {
    const matches = only.every((select) => row.dataset[select.dataset.only] === select.value);
    row.hidden = !matches || (wanted !== '' && !textOf(row).includes(wanted));
    // What is not seen is not acted on.
    if (row.hidden && boxOf(row) !== null) boxOf(row).checked = false;
  }
  const key = sieve.querySelector('[data-sort]').value || 'order';
  const sign = key === 'state' ? -1 : 1;
  const sorted = rows.toSorted((a, b) => sign * compare(a.dataset[key], b.dataset[key]));
  if (sorted.some((row, index) => row !== rows[index])) {
    const focused = document.activeElement;
    body.append(...sorted);
    if (body.contains(focused)) focused.focus();
  }
  sieve.hidden = rows.length < FEW;
  const none = document.querySelector(`[data-none="${body.id}"]`);
  none.hidden = rows.some(visible);
  showChoice();
}

const textOf = (row) => `${row.textContent} ${row.dataset.key}`.toLowerCase();

function siftAll() {
  for (const sieve of document.querySelectorAll('[data-sieve]')) sift(sieve);
  showChoice();
}

for (const kind of ['input', 'change']) {
  document.addEventListener(kind, ({ target }) => {
    const sieve = target.closest('[data-sieve]');
    if (sieve !== null) sift(sieve);
  });
}
document.addEventListener('keydown', (event) => {
  // Enter in a field that only looks must not send the form around it.
  if (event.key === 'Enter' && event.target.matches('[data-sieve] input')) event.preventDefault();
});
document.addEventListener('live', siftAll);
siftAll();
