// The token lives in memory and, to survive a reload, in this browser tab's session storage.
// It reaches the server as a header only: the fragment of an address is never sent.
const KEY = 'proxbox-graphql:token';
const listeners = new Set();
let token = sessionStorage.getItem(KEY);

/** What was pasted, as a token: without a scheme in front; null if it cannot be a header value. */
export function clean(text) {
  const value = text.trim().replace(/^(authorization:\s*)?((bearer|token)\s+)?/i, '');
  return /^[\x21-\x7e]+$/.test(value) ? value : null;
}

export function setToken(value) {
  token = value;
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
  for (const listener of listeners) listener();
}

export function getToken() {
  return token;
}

export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Takes `#token=…` out of the address bar, so that it is not bookmarked or shared by accident. */
function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return;
  history.replaceState(null, '', location.pathname + location.search);
  setToken(clean(given));
}

takeFromAddress();
addEventListener('hashchange', takeFromAddress);
