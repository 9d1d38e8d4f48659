/** The part of a lake that answers questions, the same for every kind of lake: its engine is opened when first asked for, and closed with it. */
import { once } from '#lake/once';
import type { QueryEngine, QueryResult, Value } from '#lake/query/query-engine';
import type { Lake } from './lake.ts';

interface AnswersOptions {
    /** Aborting it ends questions that are being answered. */
    signal: AbortSignal;
    /** A faster way than SQL to the same answer; undefined where there is none. */
    answer?: (question: { name: string; parameters: readonly Value[]; signal: AbortSignal }) => Promise<QueryResult | undefined>;
}

/** Asks the engine that `open` opens. */
export function openAnswers(open: () => Promise<QueryEngine>, { signal, answer }: AnswersOptions): Pick<Lake, 'engine' | 'ask' | 'close'> {
    let opened: Promise<QueryEngine> | undefined;
    const engine = once(() => {
        opened = open();
        return opened;
    });
    return {
        engine,
        async ask(name, parameters = []) {
            const answered = await answer?.({ name, parameters, signal });
            if (answered) {
                return answered;
            }
            const { readQuery } = await import('#lake/query/sql-files');
            return (await engine()).query(readQuery(name), { parameters, signal });
        },
        async close() {
            await (await opened)?.close();
        },
    };
}
