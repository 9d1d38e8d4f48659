/** The part of a lake that answers questions, the same for every kind of lake: its engine is opened when first asked for, and closed with it. */
import { once } from '#lake/once';
import type { QueryEngine } from '#lake/query/query-engine';
import type { Lake } from './lake.ts';

/** Asks the engine that `open` opens. Aborting the signal ends questions that are being answered. */
export function openAnswers(open: () => Promise<QueryEngine>, { signal }: { signal: AbortSignal }): Pick<Lake, 'engine' | 'ask' | 'close'> {
    let opened: Promise<QueryEngine> | undefined;
    const engine = once(() => {
        opened = open();
        return opened;
    });
    return {
        engine,
        async ask(name, parameters = []) {
            const { readQuery } = await import('#lake/query/sql-files');
            return (await engine()).query(readQuery(name), { parameters, signal });
        },
        async close() {
            await (await opened)?.close();
        },
    };
}
