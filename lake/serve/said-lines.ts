/** Lines of a log of which many are alike: a client that dials for ever with a bad certificate says the same each second. */

/** Time after which a line is said again, with how often it came. */
const QUIET_MS = 60_000;

/** Lines that are remembered. */
const MAX_REMEMBERED = 1_000;

export class SaidLines {
    readonly #say: (line: string) => void;
    readonly #now: () => number;
    readonly #said = new Map<string, { at: number; more: number }>();

    constructor({ say, now }: { say: (line: string) => void; now: () => number }) {
        this.#say = say;
        this.#now = now;
    }

    /** Says the line, unless one about the same was said in the last minute. */
    say(about: string, line: string): void {
        const now = this.#now();
        const before = this.#said.get(about);
        if (before && Math.abs(now - before.at) < QUIET_MS) {
            before.more += 1;
            return;
        }
        this.#said.delete(about);
        this.#said.set(about, { at: now, more: 0 });
        for (const oldest of this.#said.keys()) {
            if (this.#said.size <= MAX_REMEMBERED) {
                break;
            }
            this.#said.delete(oldest);
        }
        this.#say(before && before.more > 0 ? `${line} (${before.more} more like this since the last line)` : line);
    }
}
