/** Shown to who has no session: takes the token. */
import { useState } from 'preact/hooks';
import { askServer, NoAnswer } from '../ask-server.ts';

export function LogIn({ onDone }: { onDone: () => void }) {
    const [token, setToken] = useState('');
    const [why, setWhy] = useState('');
    const send = (event: Event) => {
        event.preventDefault();
        askServer('/session', { method: 'POST', body: { token: token.trim() } }).then(onDone, (error: unknown) => {
            setWhy(error instanceof NoAnswer ? error.message : String(error));
        });
    };
    return (
        <main class="alone">
            <form class="notice" onSubmit={send}>
                <h1>Log in</h1>
                <p>
                    <code>flowlake ui</code> prints an address with a token in it: open that one. The first start of{' '}
                    <code>flowlake serve</code> prints a token of readers, and <code>--new-token</code> makes another.
                </p>
                <label>
                    Token
                    <input
                        type="password"
                        autocomplete="current-password"
                        required
                        value={token}
                        onInput={({ currentTarget }) => setToken(currentTarget.value)}
                    />
                </label>
                {why !== '' && (
                    <p class="fault" role="alert">
                        {why}
                    </p>
                )}
                <button type="submit" class="primary">
                    Log in
                </button>
            </form>
        </main>
    );
}
