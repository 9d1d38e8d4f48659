/** The messages behind a point: which files brought them, and the very lines. */
import { useEffect, useRef } from 'preact/hooks';
import type { DeviceMessages } from '../../../lake/pages/device-messages.ts';
import { Figure } from '../../parts/figure.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Note } from '../../parts/notes.tsx';
import { Instant } from '../../parts/time.tsx';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';

interface MessagesProps {
    of: { id: string; site: string };
    metric: string;
    /** Epoch milliseconds. */
    at: string;
    query: URLSearchParams;
}

const SHOWN = 20;

export function Messages({ of, metric, at, query }: MessagesProps) {
    const page = usePage<DeviceMessages>('device-messages', {
        ...{ id: of.id, site: of.site, metric, at },
        until: query.get('until') ?? undefined,
        message: query.get('message') ?? undefined,
    });
    const place = useRef<HTMLElement>(null);
    useEffect(() => place.current?.scrollIntoView({ block: 'nearest' }), [at]);
    const closed = withChoices('/device', query, { at: undefined, until: undefined, message: undefined });
    return (
        <section class="card messages" ref={place} aria-label="Messages behind the point">
            <div class="messages-head">
                <h2>
                    Behind {metric} at <Instant ms={Number(at)} />
                </h2>
                <a href={closed}>Close</a>
            </div>
            <Answer of={page}>{(found) => <Found found={found} metric={metric} />}</Answer>
        </section>
    );
}

function Found({ found, metric }: { found: DeviceMessages; metric: string }) {
    const { readings, sources, missing, isConsolidated, command } = found;
    return (
        <>
            <p>
                {readings.length === 0 && 'No reading.'}
                {readings.slice(0, SHOWN).map(({ atMs, value, text, message, copies }, order) => (
                    <span key={`${atMs} ${message}`}>
                        {order > 0 && ' · '}
                        <Instant ms={atMs} />: {value === null ? text : <Figure value={value} />}
                        {copies !== '1' && ` (came ${copies} times)`}
                    </span>
                ))}
                {readings.length > SHOWN && ` · and ${readings.length - SHOWN} more of ${metric}`}
            </p>
            {!isConsolidated && (
                <Note>
                    <p>This hour waits to be merged, so that the tables are not yet what counts.</p>
                </Note>
            )}
            {missing.length > 0 && (
                <Note kind="warning">
                    <p>What these contributed cannot be told apart, they are gone: {missing.join(', ')}</p>
                </Note>
            )}
            {sources.map(({ source, readings: count, lines, problem }) => (
                <div key={source} class="message-source">
                    <h3>
                        <code>{source}</code>: {count} {count === 1 ? 'reading' : 'readings'}
                    </h3>
                    {problem !== null && <p>Its lines cannot be shown: {problem}</p>}
                    <ol class="lines">
                        {lines.map(({ lineNumber, line }) => (
                            <li key={lineNumber}>
                                <span class="line-number">line {lineNumber}</span>
                                <code>{line}</code>
                            </li>
                        ))}
                    </ol>
                </div>
            ))}
            <p class="small">
                The same in a terminal: <code>{command}</code>
            </p>
        </>
    );
}
