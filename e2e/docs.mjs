// The viewer of the REST API's document against a running server, in a real browser that reaches nothing else:
//   node docs.mjs URL TOKEN [screenshot.png]
import { check, root, run, shot, token, visit } from './browser.mjs';

const CLUSTERS = '/api/plugins/proxbox/clusters/';
const home = `${root}/api/docs/`;

async function ready(page) {
  await page.locator('.swagger-ui .opblock').first().waitFor();
}

/** Whether the viewer says that it holds a token. */
async function authorized(page) {
  return (await page.locator('.auth-wrapper .authorize.locked').count()) === 1;
}

/** The operation GET of the clusters, opened and with its form; only what is in view is in the page. */
async function open(page) {
  await page.getByPlaceholder('Filter by tag').fill('clusters');
  const operation = page.locator('.opblock-get', { has: page.locator(`[data-path="${CLUSTERS}"]`) });
  const execute = operation.getByRole('button', { name: 'Execute' });
  if (await execute.count()) return operation;
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Try it out' }).click();
  await execute.waitFor();
  return operation;
}

/** Tries the operation out; what was sent, and what the page shows of the answer. */
async function execute(page) {
  const operation = await open(page);
  const [request] = await Promise.all([
    page.waitForRequest((sent) => new URL(sent.url()).pathname.endsWith(CLUSTERS)),
    operation.getByRole('button', { name: 'Execute' }).click(),
  ]);
  const live = operation.locator('.live-responses-table .response').first();
  await live.waitFor();
  return {
    address: request.url(),
    header: request.headers().authorization,
    status: (await live.locator('.response-col_status').innerText()).split(/\s/)[0],
    body: await live.locator('.response-col_description').innerText(),
  };
}

function checkAnswer(name, answer) {
  check(`${name}: 200`, answer.status === '200', answer.status);
  check(`${name}: the list is shown`, /"count":/.test(answer.body) && /"results":/.test(answer.body), answer.body);
  check(`${name}: the token is a header`, answer.header === `Token ${token}`, answer.header);
  check(`${name}: the address is this server's`, answer.address.startsWith(`${root}${CLUSTERS}`), answer.address);
}

async function authorize(page, value) {
  await page.locator('.auth-wrapper .authorize').click();
  const dialog = page.locator('.dialog-ux');
  await dialog.getByRole('textbox').fill(value);
  await dialog.getByRole('button', { name: 'Apply credentials' }).click();
  await dialog.getByRole('button', { name: 'Remove authorization' }).waitFor();
  check('dialog: the token is not shown', !(await dialog.innerText()).includes(token));
  await dialog.getByRole('button', { name: 'Close' }).last().click();
}

async function viewer(page) {
  await page.goto(`${root}/api/docs`);
  await ready(page);
  check('viewer: the address ends in a slash', page.url() === home, page.url());
  check('viewer: the title', (await page.title()).includes('REST API'), await page.title());
  const operations = await page.locator('.opblock').count();
  check('viewer: operations are listed', operations >= 4, operations);
  check('viewer: no field for other documents', (await page.locator('.topbar, .download-url-wrapper').count()) === 0);
  check('viewer: no badge', (await page.locator('.swagger-ui img[src*="validator"]').count()) === 0);
  check('viewer: nobody is authorized', !(await authorized(page)));

  // Pasted as people do, with and without the keyword.
  await authorize(page, `Token ${token}`);
  check('viewer: authorized', await authorized(page));
  checkAnswer('try it out', await execute(page));
  await page.screenshot({ path: shot(), fullPage: true });

  await page.reload();
  await ready(page);
  check('viewer: the token outlives a reload', await authorized(page));
  checkAnswer('after a reload', await execute(page));

  await page.locator('.auth-wrapper .authorize').click();
  await page.locator('.dialog-ux').getByRole('button', { name: 'Remove authorization' }).click();
  await page.reload();
  await ready(page);
  check('viewer: a token removed is forgotten', !(await authorized(page)));
  await authorize(page, token);
  checkAnswer('without the keyword', await execute(page));
}

async function withoutToken(page) {
  await page.goto(home);
  await ready(page);
  const answer = await execute(page);
  check('without a token: none is sent', answer.header === undefined, answer.header);
  check('without a token: refused', ['401', '403'].includes(answer.status), answer.status);
}

async function fromGraphiql(page) {
  await page.goto(`${root}/graphiql/#token=${token}`);
  await page.getByRole('button', { name: 'Change token' }).waitFor();
  await page.waitForLoadState('networkidle');
  await page.goto(home);
  await ready(page);
  check('from GraphiQL: authorized', await authorized(page));
  checkAnswer('from GraphiQL', await execute(page));

  // As GraphiQL's page does, the viewer takes a token from the fragment of a link.
  await page.evaluate(() => sessionStorage.clear());
  await page.goto('about:blank');
  await page.goto(`${home}#token=${token}`);
  await ready(page);
  check('link: authorized', await authorized(page));
  check('link: no token in the address bar', !page.url().includes(token), page.url());
}

/** Nothing in the address makes the viewer load another document; `visit` tells of foreign requests. */
async function foreign(page) {
  const evil = 'https://evil.example/x.json';
  const own = new URL('../schema/', home).href;
  for (const search of ['url', 'configUrl', 'config', 'spec', 'urls.primaryName'].map((name) => `?${name}=${evil}`)) {
    const documents = [];
    const note = (request) => request.resourceType() === 'fetch' && documents.push(request.url());
    page.on('request', note);
    await page.goto(home + search);
    await ready(page);
    await page.waitForLoadState('networkidle');
    page.off('request', note);
    check(`${search}: ignored`, documents.length === 1 && documents[0] === own, documents);
  }
}

async function plain(page) {
  await page.goto(`${home}docs-fallback.html`);
  const link = page.getByRole('link', { name: 'open it here' });
  const address = await link.evaluate((a) => a.href);
  check('plain page: leads to the document', address === new URL('../schema/', home).href, address);
  const answer = await page.request.get(address);
  check('plain page: the document is there', (await answer.json()).openapi.startsWith('3.1'), answer.status());
  await page.screenshot({ path: shot('plain') });
}

await run(async () => {
  await visit('viewer', viewer);
  await visit('without a token', withoutToken, { refused: true });
  await visit('from GraphiQL', fromGraphiql);
  await visit('foreign documents', foreign);
  await visit('plain page', plain);
});
