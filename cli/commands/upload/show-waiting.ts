/** Shows on stderr where the files of an upload are on their way into a deployed lake's figures. */
import type { RunContext } from '#cli/command';
import { sayCount, sayDuration } from '#cli/draw/quantity';
import { openStatusLine } from '#cli/draw/status-line';
import { sayAllTries } from '#cli/say-tries';
import { sayPeriod } from '#lake/kinds';
import type { FiguresEvents, FiguresLook, QueueLook, StuckFigures } from '#lake/upload/await-figures';
import type { WayIntoFigures } from '#lake/upload/way-into-figures';

/** The events that show what waiting tells; `end` takes the line away, and after Ctrl-C says that the lake goes on. */
export function showWaiting({ stderr, signal, now }: Pick<RunContext, 'stderr' | 'signal' | 'now'>): {
    events: FiguresEvents;
    end: () => Promise<void>;
} {
    const line = openStatusLine(stderr);
    let last: FiguresLook | undefined;
    return {
        events: {
            async onLook(look) {
                last = look;
                await line.draw(`Waiting for the figures: ${look.inFigures} of ${look.of} in, ${sayStages(look.ways)}`);
            },
            async onStuck(stuck) {
                for (const text of explainStuck(stuck, now())) {
                    await line.say(text);
                }
            },
        },
        async end() {
            if (signal.aborted && last) {
                const { inFigures, of, ways } = last;
                await line.say(
                    `${inFigures} of ${sayCount(of, 'file')} in the figures, ${sayStages(ways)}; the lake goes on by itself: flowlake status`,
                );
            }
            await line.clear();
        },
    };
}

/** How many files are at each stage: `2 stored, 1 summarized`. */
function sayStages(ways: ReadonlyMap<string, WayIntoFigures>): string {
    const stages = [...ways.values()].map(({ stage }) => stage);
    return (['stored', 'summarized'] as const)
        .map((stage) => ({ stage, count: stages.filter((other) => other === stage).length }))
        .filter(({ count }) => count > 0)
        .map(({ stage, count }) => `${count} ${stage}`)
        .join(', ');
}

/** Which files wait for what, and what the queues say of it. */
function explainStuck({ ways, waitedMs, queues, tries }: StuckFigures, now: Date): string[] {
    const shown = [...ways].slice(0, 5).map(([key, way]) => {
        const where =
            way.stage === 'summarized'
                ? `summarized, but not yet in ${way.periods.slice(0, 3).map(sayPeriod).join(', ')}`
                : 'stored, but not summarized';
        return `  ${key}: ${where}`;
    });
    return [
        `Nothing has moved for ${sayDuration(waitedMs)}:`,
        ...shown,
        ...(ways.size > shown.length ? [`  and ${ways.size - shown.length} more`] : []),
        ...sayAllTries(tries, { now }).map((line) => `  ${line}`),
        ...queues.map(explainQueue),
    ];
}

/** What the depth of a queue and of its dead letters means for who waits. */
function explainQueue({ queue, worker, heldBackSeconds, waiting, inFlight, deadLetters }: QueueLook): string {
    if (deadLetters > 0) {
        return `  ${sayCount(deadLetters, `${queue} message`)} could not be worked off: the log of the ${worker} function tells why (flowlake dead-letters list says what they are of); then flowlake redrive`;
    }
    if (inFlight > 0) {
        // SQS does not tell which of the two: whoever fails is hidden until its next try, as whoever is worked on is.
        return `  ${sayCount(inFlight, `${queue} message`)} in work or between tries, ${waiting} wait behind: a large file, many, or one that fails (the log of the ${worker} function tells); it goes on without this command`;
    }
    if (waiting > 0 && heldBackSeconds > 0) {
        return `  ${sayCount(waiting, 'message waits', 'messages wait')} in the ${queue} queue, which holds each back for ${sayDuration(heldBackSeconds * 1000)}, so that an hour is merged once and not with every file`;
    }
    if (waiting > 0) {
        return `  ${sayCount(waiting, 'message waits', 'messages wait')} for the ${worker} function, which takes none: is it throttled or disabled? flowlake doctor tells`;
    }
    return `  no message is on its way to the ${worker} function: flowlake reconcile sends it again; flowlake doctor tells whether the bucket does`;
}
