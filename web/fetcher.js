import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

/**
 * Sends operations to `url` with `token`. An `Authorization` header of the headers editor goes
 * first. `onUnauthorized` is called when the server first answers 401 to the token given here, or to
 * none: once, since answers still under way must not open again what the user has closed.
 */
export function createFetcher(url, token, onUnauthorized) {
  let told = false;
  const tell = () => {
    if (!told) onUnauthorized();
    told = true;
  };
  return createGraphiQLFetcher({
    url,
    enableIncrementalDelivery: false,
    fetch: (input, init) => send(input, init, token, tell),
    // Lazy: the socket opens with the first subscription, not with the page.
    wsClient: createClient({
      url: url.replace(/^http/, 'ws'),
      lazy: true,
      connectionParams: token ? { Authorization: `Bearer ${token}` } : {},
    }),
  });
}

async function send(input, init, token, onUnauthorized) {
  const headers = new Headers(init.headers);
  const own = headers.has('authorization');
  if (token && !own) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(input, { ...init, headers });
  if (response.status === 401 && !own) onUnauthorized();
  return { json: async () => parse(await response.text(), response) };
}

function parse(text, response) {
  try {
    return JSON.parse(text, keepDigits);
  } catch {
    throw new Error(`The server answered ${response.status} ${response.statusText} without JSON.`);
  }
}

/** BigInt values are JSON numbers of 64 bits: show them digit for digit where the browser can. */
function keepDigits(_key, value, context) {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    && context?.source && JSON.rawJSON
    ? JSON.rawJSON(context.source)
    : value;
}
