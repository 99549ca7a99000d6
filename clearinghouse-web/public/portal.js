// Small comforts. Every page works without them.

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

const pickAll = document.getElementById('pick-all');
const picks = [...document.querySelectorAll('input[name="handles"]')];
const needChoice = [...document.querySelectorAll('[data-needs-choice]')];

function showChoice() {
  const chosen = picks.filter((pick) => pick.checked).length;
  for (const button of needChoice) button.disabled = chosen === 0;
  if (pickAll === null) return;
  pickAll.checked = chosen > 0 && chosen === picks.length;
  pickAll.indeterminate = chosen > 0 && chosen < picks.length;
}

if (pickAll !== null) {
  pickAll.hidden = false;
  pickAll.addEventListener('change', () => {
    for (const pick of picks) pick.checked = pickAll.checked;
    showChoice();
  });
  for (const pick of picks) pick.addEventListener('change', showChoice);
  showChoice();
}

const dialog = document.getElementById('confirm');
const yes = dialog.querySelector('[data-answer="yes"]');
let asking;
for (const button of document.querySelectorAll('[data-confirm]')) {
  button.addEventListener('click', (event) => {
    event.preventDefault();
    asking = button;
    document.getElementById('confirm-text').textContent = button.dataset.confirm;
    yes.textContent = button.dataset.yes;
    dialog.showModal();
  });
}
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
