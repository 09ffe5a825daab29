'use strict';

// The token comes from the field or from `#token=…`; it is kept for this browser tab only and
// sent as a header, never as part of an address. GraphiQL uses the same key.
const KEY = 'proxbox-graphql:token';
const graphql = new URL('../graphql', document.baseURI);
const schema = new URL('../graphql/schema.graphql', document.baseURI);
const [token, query, variables, result, status, download] =
  ['token', 'query', 'variables', 'result', 'status', 'download'].map((id) => document.getElementById(id));

function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return;
  history.replaceState(null, '', location.pathname + location.search);
  sessionStorage.setItem(KEY, given.trim());
  token.value = given.trim();
}

function show(text, note, failed) {
  result.textContent = text;
  status.textContent = note;
  status.classList.toggle('failed', failed);
}

// BigInt values are JSON numbers of 64 bits: show them digit for digit where the browser can.
function keepDigits(_key, value, context) {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source && JSON.rawJSON
    ? JSON.rawJSON(context.source)
    : value;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text, keepDigits), null, 2);
  } catch {
    return text;
  }
}

async function send(address, options) {
  const headers = { ...options.headers };
  if (token.value.trim()) headers.Authorization = `Bearer ${token.value.trim()}`;
  show('', 'Waiting …', false);
  try {
    const started = performance.now();
    const response = await fetch(address, { ...options, headers });
    const text = await response.text();
    const time = `${Math.round(performance.now() - started)} ms`;
    const note = response.status === 401
      ? 'The server wants a valid API token: enter one above.'
      : `${response.status} ${response.statusText}, ${time}`;
    show(pretty(text), note, !response.ok);
    if (response.status === 401) token.focus();
    return response.ok ? text : null;
  } catch (error) {
    show('', `Not sent: ${error.message}`, true);
    return null;
  }
}

function run() {
  let values;
  try {
    values = variables.value.trim() ? JSON.parse(variables.value) : {};
  } catch (error) {
    show('', `The variables are not JSON: ${error.message}`, true);
    variables.focus();
    return;
  }
  send(graphql, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
    },
    body: JSON.stringify({ query: query.value, variables: values }),
  });
}

async function showSchema() {
  const text = await send(schema, {});
  if (text === null) return;
  URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  download.hidden = false;
}

token.value = sessionStorage.getItem(KEY) ?? '';
takeFromAddress();
addEventListener('hashchange', takeFromAddress);
token.addEventListener('input', () => sessionStorage.setItem(KEY, token.value.trim()));
document.getElementById('sdl').addEventListener('click', showSchema);
for (const id of ['operation', 'token-form']) {
  document.getElementById(id).addEventListener('submit', (event) => {
    event.preventDefault();
    run();
  });
}
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});
