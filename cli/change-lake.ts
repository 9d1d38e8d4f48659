/** How every command changes a lake in a directory, with the words for the terminal. */
import { changeDirectory } from '#lake/here/change-directory';
import type { Mark } from '#lake/here/marks';
import type { Lake } from '#lake/lake';
import type { Context } from './command.ts';

type Circumstances = Pick<Context, 'stderr' | 'signal' | 'now'>;

/**
 * Does `work`, which changes the lake. In a directory `work` is done under a mark of its own, see `withMark`: whatever cut-off commands
 * left is finished first, which is said. A deployed lake has no marks; its queues keep what is undone.
 */
export function changeLake<T>(lake: Lake, context: Circumstances, work: (mark: Mark | undefined) => Promise<T>): Promise<T> {
    if (lake.kind !== 'directory') {
        return work(undefined);
    }
    const { signal, now } = context;
    return changeDirectory(lake.directory, { signal, now, ...cutOffEvents(context) }, work);
}

/** Events that say on stderr that a command was cut off in the lake. */
export function cutOffEvents({ stderr }: Pick<Context, 'stderr'>) {
    return {
        onCutOff: () => stderr.write('A command was cut off in this lake; finishing its work first\n'),
        onUnfinished: ({ message }: Error) => stderr.write(`The work of the command that was cut off is still undone: ${message}\n`),
    };
}
