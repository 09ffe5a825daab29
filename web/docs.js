import 'swagger-ui-dist/swagger-ui.css';
import './docs.css';

import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import { tokenPlugin, useStoredToken } from './docs-token.js';
import { subscribe } from './token.js';

const settings = JSON.parse(document.getElementById('settings').textContent);
const place = document.getElementById('docs');

/** The document, with this server as the only one: as the browser reaches it, whatever prefix is in front. */
async function read() {
  const address = new URL(settings.schemaUrl, document.baseURI);
  const response = await fetch(address, { headers: { Accept: 'application/json' } });
  if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
  const root = new URL(settings.rootUrl, document.baseURI).href.replace(/\/$/, '');
  return { ...(await response.json()), servers: [{ url: root }] };
}

function show(spec) {
  const ui = SwaggerUI({
    spec,
    domNode: place,
    plugins: [tokenPlugin],
    onComplete: () => useStoredToken(ui),
    // Nothing in the address says what is loaded, and nobody else is told what is read.
    queryConfigEnabled: false,
    validatorUrl: null,
    persistAuthorization: false,
    // It takes `_` in an operation's name for an escape, and complains.
    deepLinking: false,
    docExpansion: 'list',
    filter: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
  });
  // A link may bring a token to the open page.
  subscribe(() => useStoredToken(ui));
}

function followScheme(query) {
  const apply = () => document.documentElement.classList.toggle('dark-mode', query.matches);
  query.addEventListener('change', apply);
  apply();
}

followScheme(matchMedia('(prefers-color-scheme: dark)'));
read().then(show, (error) => {
  const note = document.createElement('p');
  note.role = 'alert';
  note.textContent = `The document could not be read: ${error.message}.`;
  place.replaceChildren(note);
});
