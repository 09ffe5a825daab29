// GraphiQL and the plain page against a running server, in a real browser that reaches nothing else:
//   node graphiql.mjs URL TOKEN [screenshot.png]
import { check, root, run, shot, token, visit } from './browser.mjs';

// After a change of tabs GraphiQL sends the old tab's operation name for a moment.
const SETTLE = 3_000;

const response = (page) => page.locator('.graphiql-response');

/** The response pane's text; the editor shows blanks as non-breaking spaces. */
async function resultOf(page) {
  return (await response(page).innerText()).replaceAll('\u00a0', ' ');
}

/** Runs the operation of the current tab and checks what came. */
async function execute(page, name, expected) {
  await page.locator('.graphiql-execute-button').click();
  await response(page).getByText('"data"').first().waitFor();
  const text = await resultOf(page);
  check(`${name}: data and no errors`, text.includes('"data"') && !text.includes('"errors"'), text);
  for (const field of expected) check(`${name}: ${field} is there`, text.includes(`"${field}"`), text);
}

async function ready(page) {
  await page.locator('.graphiql-execute-button').waitFor();
  await page.locator('.graphiql-query-editor .monaco-editor').first().waitFor();
}

async function fullEditor(page) {
  await page.goto(`${root}/graphiql#token=${token}`);
  await ready(page);
  check('GraphiQL: the title', (await page.title()) === 'proxbox-graphql', await page.title());
  check('GraphiQL: no token in the address bar', page.url() === `${root}/graphiql/`, page.url());
  const height = await page.locator('#graphiql').evaluate((e) => e.clientHeight);
  check('GraphiQL: fills the window', height === 900, height);

  const tabs = page.getByRole('tab');
  check('GraphiQL: the default tabs', (await tabs.count()) >= 3, await tabs.allInnerTexts());
  await execute(page, 'first tab', ['proxmoxClusters']);
  await tabs.nth(1).click();
  await page.waitForTimeout(SETTLE);
  await execute(page, 'second tab', ['proxmoxClusters']);
  await tabs.nth(2).click();
  // The editor takes a moment to change over; what is executed is what it holds.
  await page.locator('.graphiql-query-editor').getByText('upsertProxmoxStorage').first().waitFor();
  await page.waitForTimeout(SETTLE);
  await execute(page, 'third tab', ['upsertProxmoxStorage', 'created', 'proxmoxStorage']);
  const written = await resultOf(page);
  check('third tab: the mutation was done', written.includes('"userErrors": []'), written);

  // An empty tab, a query by clicking only.
  await page.getByRole('button', { name: 'New tab' }).click();
  const editor = page.locator('.graphiql-query-editor .monaco-editor').first();
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: /show .*explorer/i }).last().click();
  const explorer = page.locator('.graphiql-plugin');
  for (const field of ['proxmoxClusters', 'totalCount', 'nodes', 'name']) {
    await explorer.locator(`[data-field-name="${field}"]`).last().click();
  }
  await page.waitForFunction(() => /nodes\s*\{\s*name/.test(
    document.querySelector('.graphiql-query-editor .view-lines').innerText.replaceAll('\u00a0', ' '),
  ));
  await execute(page, 'explorer', ['proxmoxClusters', 'totalCount', 'nodes']);
  await page.screenshot({ path: shot() });

  // Completion comes from the language worker and knows the schema.
  await editor.click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.keyboard.type('{ proxmoxCl', { delay: 40 });
  await page.keyboard.press('Control+Space');
  const suggestions = page.locator('.suggest-widget');
  await suggestions.getByText('proxmoxClusters').first().waitFor();
  check('GraphiQL: completion', true);
  await page.keyboard.press('Escape');

  check('GraphiQL: workers', page.workers().length >= 2, page.workers().length);

  // A reload keeps the token.
  await page.reload();
  await ready(page);
  await page.getByRole('button', { name: 'Change token' }).waitFor();
  await page.waitForLoadState('networkidle');
  check('GraphiQL: the token outlives a reload', (await page.getByRole('dialog').count()) === 0);
}

async function tokenPrompt(page) {
  await page.goto(`${root}/graphiql/`);
  const dialog = page.getByRole('dialog', { name: 'API token' });
  await dialog.waitFor();
  check('prompt: asked without a token', true);
  await page.screenshot({ path: shot('prompt') });
  const field = dialog.getByLabel('Token', { exact: true });
  check('prompt: the field has the focus', await field.evaluate((e) => e === document.activeElement));
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Change token' }).waitFor();
  await ready(page);
  await execute(page, 'prompt', ['proxmoxClusters']);

  // A wrong one is refused, and the prompt says so.
  await page.getByRole('button', { name: 'Change token' }).click();
  await dialog.waitFor();
  await field.fill('x'.repeat(40));
  await dialog.getByRole('button', { name: 'Use token' }).click();
  await dialog.getByText('did not accept the token').waitFor();
  check('prompt: a wrong token is told', true);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  check('prompt: Escape closes it', true);
}

async function fallback(page) {
  await page.goto(`${root}/graphiql/fallback.html#token=${token}`);
  const result = page.locator('#result');
  await page.getByRole('button', { name: 'Run' }).click();
  await result.getByText('"data"').waitFor();
  const text = await result.innerText();
  check('plain page: data and no errors', !text.includes('"errors"'), text);
  check('plain page: no token in the address bar', !page.url().includes('token'), page.url());
  await page.screenshot({ path: shot('plain') });

  await page.getByLabel('Query', { exact: true }).fill('query Named($n: Int) { proxmoxNodes(first: $n) { totalCount } }');
  await page.getByLabel('Variables (JSON)').fill('{"n": 1}');
  await page.keyboard.press('Control+Enter');
  await result.getByText('totalCount').waitFor();
  check('plain page: Ctrl-Enter and variables', !(await result.innerText()).includes('"errors"'));

  await page.getByRole('button', { name: 'Show schema' }).click();
  await result.getByText('type Query').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download schema.graphql' }).click(),
  ]);
  check('plain page: the schema', download.suggestedFilename() === 'schema.graphql');
}

async function plainPrompt(page) {
  await page.goto(`${root}/graphiql/fallback.html`);
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByText('wants a valid API token').waitFor();
  check('plain page: asks for a token', true);
  const field = page.getByLabel('API token');
  check('plain page: the field has the focus', await field.evaluate((e) => e === document.activeElement));
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await page.locator('#result').getByText('"data"').waitFor();
  check('plain page: works with the token typed', true);
}

await run(async () => {
  await visit('GraphiQL', fullEditor);
  await visit('prompt', tokenPrompt, { refused: true });
  await visit('plain page', fallback);
  await visit('plain page without a token', plainPrompt, { refused: true });
});
