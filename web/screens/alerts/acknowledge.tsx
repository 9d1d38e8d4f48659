/** Says that somebody knows of an alert, and what is done; where nobody can take that, what to type. */
import { useState } from 'preact/hooks';
import { askServer, NoAnswer } from '../../ask-server.ts';
import { useAbout } from '../../shell/about-context.ts';

/** Letters that the API takes. */
const MAX_NOTE = 1000;

interface AcknowledgeProps {
    id: string;
    device: string;
    onDone(): void;
}

export function Acknowledge({ id, device, onDone }: AcknowledgeProps) {
    const { hasApi, lake } = useAbout();
    const [note, setNote] = useState('');
    const [state, setState] = useState<'' | 'sending' | { problem: string }>('');
    if (!hasApi) {
        return (
            <details>
                <summary>Nobody yet</summary>
                <p class="small">These pages only read. Type:</p>
                <code class="command">{`flowlake --lake ${quoted(lake)} alert acknowledge ${quoted(id)} --note "..."`}</code>
            </details>
        );
    }
    const send = async (event: Event) => {
        event.preventDefault();
        setState('sending');
        try {
            await askServer(`/v1/alerts/${encodeURIComponent(id)}/acknowledge`, { method: 'POST', body: { note } });
            onDone();
        } catch (error) {
            setState({ problem: error instanceof NoAnswer ? error.problem.detail || error.problem.title : String(error) });
            if (error instanceof NoAnswer && error.problem.status === 409) {
                onDone();
            }
        }
    };
    return (
        <details>
            <summary>Nobody yet: acknowledge</summary>
            <form class="acknowledge" onSubmit={send}>
                <label>
                    What is known, or done
                    <textarea
                        required
                        rows={2}
                        maxLength={MAX_NOTE}
                        value={note}
                        aria-label={`Note for the alert of ${device}`}
                        onInput={({ currentTarget }) => setNote(currentTarget.value)}
                    />
                </label>
                <button type="submit" class="primary" disabled={note.trim() === '' || state === 'sending'}>
                    Acknowledge
                </button>
                {typeof state === 'object' && <p role="alert">{state.problem}</p>}
            </form>
        </details>
    );
}

/** A word of a command line, in quotes where a shell would read it otherwise. */
function quoted(word: string): string {
    return /^[\w./:~@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
