import { readFile } from 'node:fs/promises';
import { expect, type Page, test } from '@playwright/test';
import { expectAccessible } from './page.ts';
import { World } from './world.ts';

const PASSWORD = 'four words of mine';
const BETTER = 'five better words of mine';

/** A device with a lock of its own, which says yes to everything. */
async function withAuthenticator(page: Page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    verifies: async (isUserVerified: boolean) =>
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
  };
}

test.describe('the account page', () => {
  let world: World;
  let url: string;

  test.beforeAll(async () => {
    world = await World.create();
    // Passkeys want a name.
    url = (await world.clearinghouse()).url.replace('127.0.0.1', 'localhost');
  });
  test.afterAll(async () => await world[Symbol.asyncDispose]());

  async function join(page: Page, username: string): Promise<void> {
    await page.goto(`${url}/register`);
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make my key' }).click();
    await expect(page.getByText('Your key is ready.')).toBeVisible();
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'My vessels' })).toBeVisible();
    await page.goto(`${url}/account`);
    await expect(page.getByRole('heading', { name: 'My account' })).toBeVisible();
  }

  async function addPasskey(page: Page, name: string): Promise<void> {
    await page.getByLabel('Name of the new passkey').fill(name);
    await page.locator('#passkey-current').fill(PASSWORD);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
  }

  test('adds a passkey, logs in with it, gives it a name, and removes it', async ({ page }) => {
    const { verifies } = await withAuthenticator(page);
    await join(page, 'anna');
    await page.getByLabel('Name of the new passkey').fill('phone');
    await page.locator('#passkey-current').fill('not the password');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await expect(page.locator('#passkey-trouble')).toContainText('expected the password');
    await addPasskey(page, 'phone');
    await expect(page.getByRole('status')).toContainText('The passkey is yours');
    await expect(page.getByText('never used').first()).toBeVisible();

    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.goto(`${url}/login?next=/account`);
    const used = page.waitForRequest('**/login/passkey');
    await page.getByRole('button', { name: 'Log in with a passkey' }).press('Enter');
    await expect(page.getByRole('heading', { name: 'My account' })).toBeVisible();
    await expect(page.getByText('last used just now')).toBeVisible();

    await test.step('and what it has signed is taken once, from the session that was asked, and for one thing', async () => {
      const { response } = JSON.parse((await used).postData() ?? '{}');
      const { csrfToken } = await (
        await page.request.get(`${url}/session`, { headers: { accept: 'application/json' } })
      ).json();
      const again = await page.request.post(`${url}/login/passkey`, {
        headers: { accept: 'application/json', 'x-csrf-token': csrfToken },
        data: { response },
      });
      expect([again.status(), (await again.json()).code]).toEqual([401, 'BAD_PASSKEY']);
    });

    await page.getByLabel('Name of phone', { exact: true }).fill('old phone');
    await page.getByRole('button', { name: 'Rename phone' }).click();
    await expect(page.getByText('old phone', { exact: true })).toBeVisible();
    await page.getByRole('button', { name: 'Remove old phone' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await expect(page.getByRole('status')).toContainText('The passkey is forgotten');
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.goto(`${url}/login`);
    await page.getByRole('button', { name: 'Log in with a passkey' }).click();
    await expect(page.locator('#passkey-trouble')).toContainText('nobody here has it');

    await test.step('and not without its lock', async () => {
      await page.getByLabel('Username').fill('anna');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Log in', exact: true }).click();
      await page.getByRole('link', { name: 'Account' }).click();
      await verifies(false);
      await addPasskey(page, 'unlocked');
      await expect(page.locator('#passkey-trouble')).toContainText('Nothing was done');
    });
  });

  test('makes a token that is shown once, and revokes it', async ({ page, request }) => {
    await join(page, 'bert');
    await page.getByText('Make a token').click();
    await page.getByLabel('What is it for?').fill('my script');
    await page.locator('#token-current').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make token' }).click();
    await expect(page.getByText('Expected what the token is for')).toBeVisible();
    await page.getByLabel(/see the vessels/).check();
    await page.locator('#token-current').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make token' }).click();
    const secret = await page.getByLabel('The new token').inputValue();
    expect(secret).toMatch(/^potluck_/);
    const ask = async () =>
      (await request.get(`${url}/vessels`, { headers: { authorization: `Bearer ${secret}` } })).status();
    expect(await ask()).toBe(200);
    await page.goto(`${url}/account`);
    await expect(page.getByText('my script')).toBeVisible();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole('button', { name: 'Revoke my script' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await expect(page.getByRole('status')).toContainText('revoked');
    expect(await ask()).toBe(401);
  });

  test('changes the password, and logs out elsewhere and everywhere', async ({ page, browser }) => {
    await join(page, 'cleo');
    await using elsewhere = await browser.newContext();
    const other = await elsewhere.newPage();
    await other.goto(`${url}/login`);
    await other.getByLabel('Username').fill('cleo');
    await other.getByLabel('Password').fill(PASSWORD);
    await other.getByRole('button', { name: 'Log in', exact: true }).click();
    await expect(other.getByRole('heading', { name: 'Hello, cleo' })).toBeVisible();

    await page.reload();
    await expect(page.getByText('this one')).toHaveCount(1);
    await page.locator('#password-current').fill('not the password');
    await page.locator('#password-new').fill(BETTER);
    await page.getByRole('button', { name: 'Change password' }).click();
    await expect(page.locator('#password-current')).toBeFocused();
    await expect(page.locator('#password-current')).toHaveAttribute('aria-invalid', 'true');
    await page.locator('#password-current').fill(PASSWORD);
    await page.locator('#password-new').fill(BETTER);
    await page.getByRole('button', { name: 'Change password' }).click();
    await expect(page.getByRole('status')).toContainText('The password is changed');
    await other.goto(`${url}/vessels`);
    await expect(other).toHaveURL(/\/login/);
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await page.goto(`${url}/account`);
    await expect(page).toHaveURL(/\/login/);
  });

  test('changes the key to one that the browser makes', async ({ page }) => {
    await join(page, 'dana');
    const before = await page
      .locator('section', { hasText: 'Your vessels obey' })
      .locator('code')
      .first()
      .textContent();
    await page.getByText('Change the key').click();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Make a new key' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('dana.private.jwk');
    expect(JSON.parse(await readFile(await file.path(), 'utf8')).crv).toBe('Ed25519');
    await page.locator('#key-current').fill(PASSWORD);
    await page.getByRole('button', { name: 'Change key' }).click();
    await expect(page.getByRole('status')).toContainText('The key is changed');
    await expect(page.getByText(before ?? '', { exact: true })).toHaveCount(0);
  });

  test('deletes the account for good, with the password or a passkey', async ({ page }) => {
    await withAuthenticator(page);
    const ask = async (button: string): Promise<void> => {
      await page.getByRole('button', { name: button }).press('Enter');
      await page.getByRole('dialog').getByRole('button', { name: 'Delete my account' }).press('Enter');
    };
    await join(page, 'emil');
    await page.getByText('Delete it for good').click();
    await expectAccessible(page);
    await page.locator('#delete-current').fill('not the password');
    await ask('Delete my account');
    await expect(page.getByText('Expected the password that this account has now')).toBeVisible();
    await page.locator('#delete-current').fill(PASSWORD);
    await ask('Delete my account');
    await expect(page.getByRole('status')).toContainText('Your account is deleted');
    await page.goto(`${url}/account`);
    await expect(page).toHaveURL(/\/login/);

    await join(page, 'frida');
    await addPasskey(page, 'phone');
    await expect(page.getByRole('status')).toContainText('The passkey is yours');
    await page.getByText('Delete it for good').click();
    await ask('Delete it with a passkey');
    await expect(page.getByRole('status')).toContainText('Your account is deleted');
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`fits a phone of 360 px, ${colorScheme}`, async ({ browser }) => {
      await using context = await browser.newContext({ viewport: { width: 360, height: 780 }, colorScheme });
      const page = await context.newPage();
      await withAuthenticator(page);
      await join(page, `phone_${colorScheme}`);
      await addPasskey(page, 'a phone with a long name that goes on');
      await expect(page.getByRole('status')).toContainText('The passkey is yours');
      for (const text of ['Make a token', 'Change the key', 'I have a key already']) await page.getByText(text).click();
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect(width).toBeLessThanOrEqual(360);
      if (process.env.SHOTS !== undefined)
        await page.screenshot({ path: `${process.env.SHOTS}/${colorScheme}.png`, fullPage: true });
    });
  }
});
