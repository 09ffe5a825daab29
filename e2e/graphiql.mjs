// The browser pages against a running server, in a real browser that reaches nothing else:
//   node graphiql.mjs URL TOKEN [screenshot.png]
// CHROMIUM names the browser, /usr/bin/chromium if unset.
import { chromium } from 'playwright-core';

const [base, token, screenshot = 'graphiql.png'] = process.argv.slice(2);
if (!base || !token) {
  console.error('usage: node graphiql.mjs URL TOKEN [screenshot.png]   (e.g. http://127.0.0.1:8000 nbt_…)');
  process.exit(2);
}
const root = base.replace(/\/$/, '');
const origin = new URL(root).origin;
const PATIENCE = 30_000;
// After a change of tabs GraphiQL sends the old tab's operation name for a moment.
const SETTLE = 3_000;

let passed = 0;
let failed = 0;

function check(name, ok, detail = '') {
  if (ok) {
    passed += 1;
    console.log(`ok      ${name}`);
  } else {
    failed += 1;
    console.log(`FAILED  ${name}${detail ? `: ${String(detail).slice(0, 600)}` : ''}`);
  }
}

/** Runs `body` on a fresh page (nothing stored) and reports whatever the browser complained about. */
async function visit(name, body, { refused = false } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const complaints = [];
  await context.route('**/*', (route) => {
    const url = new URL(route.request().url());
    if (url.protocol.startsWith('http') && url.origin !== origin) {
      complaints.push(`request to ${url.href}`);
      return route.abort();
    }
    if (url.href.includes(token)) complaints.push(`token in the address ${url.href}`);
    return route.continue();
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (e) => {
      console.error(`policy violated: ${e.violatedDirective} ${e.blockedURI}`);
    });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('websocket', (socket) => complaints.push(`socket opened: ${socket.url()}`));
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    // Browsers report every failed request; without a token 401 is what should come.
    if (refused && / 401 /.test(message.text())) return;
    complaints.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('response', (response) => {
    const expected = response.status() < 400 || (refused && response.status() === 401);
    if (!expected) complaints.push(`${response.status()} for ${response.url()}`);
  });
  try {
    await body(page);
  } catch (error) {
    check(`${name}: runs to its end`, false, error.message);
    await page.screenshot({ path: screenshot.replace(/(\.png)?$/, '-failed.png') }).catch(() => {});
  }
  check(`${name}: no complaint of the browser`, complaints.length === 0, complaints.join('; '));
  await context.close();
}

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
  await page.screenshot({ path: screenshot });

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
  await page.screenshot({ path: screenshot.replace(/(\.png)?$/, '-prompt.png') });
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
  await page.screenshot({ path: screenshot.replace(/(\.png)?$/, '-plain.png') });

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

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    // What slips past the interception finds no address either.
    `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${new URL(root).hostname}`,
  ],
});
try {
  await visit('GraphiQL', fullEditor);
  await visit('prompt', tokenPrompt, { refused: true });
  await visit('plain page', fallback);
  await visit('plain page without a token', plainPrompt, { refused: true });
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
