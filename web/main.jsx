import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './main.css';

import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { createFetcher } from './fetcher.js';
import { tabs } from './tabs.js';
import { TokenControl, useToken } from './token-control.jsx';

const settings = JSON.parse(document.getElementById('settings').textContent);
const graphqlUrl = new URL(settings.graphqlUrl, document.baseURI).href;

const plugins = [HISTORY_PLUGIN, explorerPlugin()];

function App() {
  const token = useToken();
  // Why the dialog is open: 'asked' by the user, 'needed' or 'refused' by the server; null: closed.
  const [dialog, setDialog] = useState(null);
  // A new fetcher makes GraphiQL read the schema again, which is what a new token calls for.
  const fetcher = useMemo(
    () => createFetcher(graphqlUrl, token, () => setDialog(token ? 'refused' : 'needed')),
    [token],
  );
  return (
    <GraphiQL fetcher={fetcher} plugins={plugins} defaultTabs={tabs} defaultEditorToolsVisibility>
      <GraphiQL.Logo>
        <span>proxbox-graphql</span>
        <TokenControl token={token} dialog={dialog} setDialog={setDialog} />
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

createRoot(document.getElementById('graphiql')).render(<App />);
