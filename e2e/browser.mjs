// What the tests of the pages share: the arguments, counting, and a browser that reaches one server only.
// CHROMIUM names the browser, /usr/bin/chromium if unset.
import { basename } from 'node:path';
import { chromium } from 'playwright-core';

const script = basename(process.argv[1]);
const [base, given, picture = script.replace(/\.mjs$/, '.png')] = process.argv.slice(2);
if (!base || !given) {
  console.error(`usage: node ${script} URL TOKEN [screenshot.png]   (e.g. http://127.0.0.1:8000 nbt_…)`);
  process.exit(2);
}
export const root = base.replace(/\/$/, '');
export const token = given;
const origin = new URL(root).origin;
const PATIENCE = 30_000;
// How GraphQL and REST refuse somebody without a token.
const REFUSALS = [401, 403];

let browser;
let passed = 0;
let failed = 0;

export function check(name, ok, detail = '') {
  if (ok) {
    passed += 1;
    console.log(`ok      ${name}`);
  } else {
    failed += 1;
    console.log(`FAILED  ${name}${detail ? `: ${String(detail).slice(0, 600)}` : ''}`);
  }
}

/** Where a screenshot goes: to the file named by the caller, or beside it. */
export function shot(suffix = '') {
  return suffix ? picture.replace(/(\.png)?$/, `-${suffix}.png`) : picture;
}

/**
 * Runs `body` on a fresh page (nothing stored) and reports whatever the browser complained about.
 * `refused`: the server is to refuse somebody here, and the browser may say so.
 */
export async function visit(name, body, { refused = false } = {}) {
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
    // Browsers report every failed request; without a token a refusal is what should come.
    if (refused && / 40[13] /.test(message.text())) return;
    complaints.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('response', (response) => {
    const expected = response.status() < 400 || (refused && REFUSALS.includes(response.status()));
    if (!expected) complaints.push(`${response.status()} for ${response.url()}`);
  });
  try {
    await body(page);
  } catch (error) {
    check(`${name}: runs to its end`, false, error.message);
    await page.screenshot({ path: shot('failed') }).catch(() => {});
  }
  check(`${name}: no complaint of the browser`, complaints.length === 0, complaints.join('; '));
  await context.close();
}

/** Starts the browser, runs the visits of `all`, and prints the totals. */
export async function run(all) {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      // What slips past the interception finds no address either.
      `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${new URL(root).hostname}`,
    ],
  });
  try {
    await all();
  } finally {
    await browser.close();
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
