/** Tells on stderr how far long work is: a line that is drawn over on a terminal, and one plain line at the end anywhere. */
import type { Output } from '#cli/output';
import { sayBytes } from '#lake/say-size';
import { sayDuration } from './quantity.ts';
import { openStatusLine } from './status-line.ts';
import { cutToWidth, widthOf } from './text-width.ts';

export interface Progress {
    /** Counts `bytes` more as done. Returns at once: it is called from the midst of the work. */
    advance(bytes: number): void;
    /** Prints a line that stays, above the one that is drawn over. */
    say(line: string): Promise<void>;
    /** Takes the drawn line away and says what was done, how fast; `what` is put in front: `Uploaded 3 files`. */
    finish(what: string): Promise<void>;
    /** Takes the drawn line away and says nothing: for work that broke off. */
    stop(): Promise<void>;
}

export interface ProgressOptions {
    stderr: Output;
    now: () => Date;
    /** Word in front of the bar: `Uploading`. */
    doing: string;
    /** Bytes that there are to do; undefined where that is not known, as for what is piped in: then there is no bar and no time left. */
    totalBytes: number | undefined;
}

/** A terminal shows no more changes than this, and drawing costs time. */
const REDRAW_AFTER_MS = 100;
const BAR_WIDTH = 16;

export function openProgress({ stderr, now, doing, totalBytes }: ProgressOptions): Progress {
    const startedAt = now().getTime();
    let drawnAt = Number.NEGATIVE_INFINITY;
    let doneBytes = 0;
    const line = openStatusLine(stderr);
    const draw = () => {
        const elapsedMs = now().getTime() - startedAt;
        drawnAt = now().getTime();
        return line.draw(renderLine({ doing, doneBytes, totalBytes, elapsedMs, columns: stderr.columns }));
    };
    return {
        advance(bytes) {
            doneBytes += bytes;
            if (stderr.canRedraw && now().getTime() - drawnAt >= REDRAW_AFTER_MS) {
                void draw();
            }
        },
        say: line.say,
        async finish(what) {
            await line.clear();
            const elapsedMs = now().getTime() - startedAt;
            await stderr.write(`${what}: ${sayBytes(doneBytes)} in ${sayDuration(elapsedMs)}${sayRate(doneBytes, elapsedMs, ' (', ')')}\n`);
        },
        stop: line.clear,
    };
}

interface State {
    doing: string;
    doneBytes: number;
    totalBytes: number | undefined;
    elapsedMs: number;
    columns: number;
}

/**
 * The line, as much of it as the terminal has room for; one column is left free, because a full line makes some terminals go to the next
 * one.
 */
function renderLine({ doing, doneBytes, totalBytes, elapsedMs, columns }: State): string {
    const rate = sayRate(doneBytes, elapsedMs, '  ', '');
    if (totalBytes === undefined || totalBytes === 0) {
        return cutToWidth(`${doing}  ${sayBytes(doneBytes)}${rate}`, columns - 1);
    }
    const share = Math.min(1, doneBytes / totalBytes);
    const percent = `${Math.floor(share * 100)}%`.padStart(6);
    const filled = Math.floor(share * BAR_WIDTH);
    const bar = `  ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
    const amount = `  ${sayBytes(doneBytes)} of ${sayBytes(totalBytes)}`;
    const left = doneBytes > 0 ? `  ${sayDuration((elapsedMs / doneBytes) * Math.max(0, totalBytes - doneBytes))} left` : '';
    const lines = [
        doing + bar + percent + amount + rate + left,
        doing + percent + amount + rate + left,
        doing + percent + amount,
        doing + percent,
    ];
    return lines.find((line) => widthOf(line) < columns) ?? '';
}

function sayRate(bytes: number, elapsedMs: number, before: string, behind: string): string {
    return elapsedMs > 0 ? `${before}${sayBytes((bytes / elapsedMs) * 1000)}/s${behind}` : '';
}
