import { clean, getToken, setToken } from './token.js';

/** The document's name of the security scheme, an `Authorization` header of `Token <value>`. */
const SCHEME = 'token';

/** What people paste, as the header wants it; what is no token stays as it is, for the server to refuse. */
function header(text) {
  const value = clean(text);
  return value ? `Token ${value}` : text;
}

/** Keeps what is given in the viewer's dialog where GraphiQL's page keeps it, and forgets it there too. */
export const tokenPlugin = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (original) => (schemes) => {
          const given = schemes[SCHEME];
          if (!given) return original(schemes);
          remember(clean(given.value ?? ''));
          return original({ ...schemes, [SCHEME]: { ...given, value: header(given.value ?? '') } });
        },
        logout: (original) => (names) => {
          if (names.includes(SCHEME)) remember(null);
          return original(names);
        },
      },
    },
  },
});

/** Authorizes the viewer with the token of this browser tab, or nobody. */
export function useStoredToken(ui) {
  if (getToken()) ui.preauthorizeApiKey(SCHEME, header(getToken()));
  else if (ui.authSelectors.authorized()?.has(SCHEME)) ui.authActions.logout([SCHEME]);
}

// Only changes are told: who listens authorizes the viewer, which comes by here again.
function remember(value) {
  if (value !== getToken()) setToken(value);
}
