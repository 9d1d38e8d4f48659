/** Work that this process does in turn, with a status line that says what it is at; and the words for what failed of it. */
import { type Workers, workInTurn } from '#lake/commit/finish';
import { sayBytes } from '#lake/say-size';
import type { ObjectStore } from '#lake/store/object-store';
import { Failure, type RunContext } from './command.ts';
import { openStatusLine } from './draw/status-line.ts';

/** Workers whose steps are drawn as `<verb> <what>  <bytes read of it>`; `clear` takes the line away. */
export function workInView(
    store: ObjectStore,
    { verb, context: { stderr, signal, now } }: { verb: string; context: Pick<RunContext, 'stderr' | 'signal' | 'now'> },
): { workers: Workers; clear: () => Promise<void> } {
    const line = openStatusLine(stderr);
    let current = '';
    let doneBytes = 0;
    const workers = workInTurn(store, {
        now,
        signal,
        onStep: (what) => {
            current = what;
            doneBytes = 0;
            void line.draw(`${verb} ${what}`);
        },
        onBytes: (bytes) => {
            doneBytes += bytes;
            void line.draw(`${verb} ${current}  ${sayBytes(doneBytes)}`);
        },
    });
    return { workers, clear: line.clear };
}

/** @throws Failure with the first error, and how many more there are; nothing where there is none */
export function failOn([first, ...others]: readonly Error[]): void {
    if (first) {
        const more = others.length > 0 ? ` (and ${others.length} more)` : '';
        throw new Failure(`Not all could be done: ${first.message}${more}`, { cause: first });
    }
}
