import { useState, useSyncExternalStore } from 'react';
import { Button, Dialog, UnStyledButton } from '@graphiql/react';
import { clean, getToken, setToken, subscribe } from './token.js';

const WHY = {
  asked: 'Requests of this browser tab are sent with the token given here.',
  needed: 'This server answers only to requests with an API token.',
  refused: 'The server did not accept the token: it is unknown, expired or disabled.',
};

export function useToken() {
  return useSyncExternalStore(subscribe, getToken);
}

/** The button in the top bar and the dialog behind it. */
export function TokenControl({ token, dialog, setDialog }) {
  const label = token ? 'Change token' : 'Set token';
  return (
    <>
      <UnStyledButton
        type="button"
        className={token ? 'proxbox-token' : 'proxbox-token missing'}
        onClick={() => setDialog('asked')}
      >
        {label}
      </UnStyledButton>
      <Dialog open={dialog !== null} onOpenChange={(open) => setDialog(open ? 'asked' : null)}>
        <TokenForm why={dialog ?? 'asked'} token={token} close={() => setDialog(null)} />
      </Dialog>
    </>
  );
}

function TokenForm({ why, token, close }) {
  const [text, setText] = useState('');
  const [error, setError] = useState('');

  function submit(event) {
    event.preventDefault();
    const value = clean(text);
    if (!value) {
      setError('That is not a token: letters, digits and punctuation only, without spaces.');
      return;
    }
    close();
    setToken(value);
  }

  return (
    <form className="proxbox-token-form" onSubmit={submit}>
      <div className="graphiql-dialog-header">
        <Dialog.Title className="graphiql-dialog-title">API token</Dialog.Title>
        <Dialog.Close />
      </div>
      <div className="proxbox-token-body">
        <Dialog.Description role={why === 'refused' ? 'alert' : undefined}>
          {WHY[why]}
        </Dialog.Description>
        <label htmlFor="proxbox-token">Token</label>
        <input
          id="proxbox-token"
          type="password"
          autoComplete="off"
          spellCheck="false"
          autoFocus
          placeholder={token ? 'Paste another token' : 'nbt_… or 40 characters'}
          value={text}
          aria-describedby="proxbox-token-note"
          aria-invalid={error !== ''}
          onChange={(event) => {
            setText(event.target.value);
            setError('');
          }}
        />
        <p id="proxbox-token-note" role={error ? 'alert' : undefined}>
          {error || 'It stays in this browser tab until you close it. A link ending in #token=… sets it, too.'}
        </p>
        <div className="proxbox-token-buttons">
          {token && (
            <Button
              type="button"
              onClick={() => {
                close();
                setToken(null);
              }}
            >
              Forget token
            </Button>
          )}
          <Button type="submit" state="success">Use token</Button>
        </div>
      </div>
    </form>
  );
}
