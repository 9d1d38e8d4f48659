/** Sessions of the web application: who logged in once is known by a cookie that no script can read and no other site's page can send. */
import { randomBytes } from 'node:crypto';
import { hashToken } from '#lake/credentials';

interface Session {
    name: string;
    lastUsedMs: number;
}

const ID_BYTES = 32;

/** A session that nobody has used for so long is over. */
const IDLE_MS = 12 * 3_600_000;

/** More sessions end the one that was used longest ago. */
const MAX_SESSIONS = 1000;

export class Sessions {
    readonly #now: () => number;
    /** Sessions by the hash of their id, longest unused first. */
    readonly #sessions = new Map<string, Session>();

    /** `now` is UTC epoch milliseconds. */
    constructor(now: () => number) {
        this.#now = now;
    }

    /** Opens a session in that name. @returns its id, which is told to nobody else */
    open(name: string): string {
        const id = randomBytes(ID_BYTES).toString('base64url');
        this.#sessions.set(hashToken(id), { name, lastUsedMs: this.#now() });
        const [oldest] = this.#sessions.keys();
        if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) {
            this.#sessions.delete(oldest);
        }
        return id;
    }

    /** The name that the session was opened in, and uses it; undefined where there is none, or it is over. */
    use(id: string): string | undefined {
        const key = hashToken(id);
        const session = this.#sessions.get(key);
        this.#sessions.delete(key);
        if (session === undefined || this.#now() - session.lastUsedMs > IDLE_MS) {
            return undefined;
        }
        this.#sessions.set(key, { ...session, lastUsedMs: this.#now() });
        return session.name;
    }

    /** Ends the session. Safe to repeat. */
    end(id: string): void {
        this.#sessions.delete(hashToken(id));
    }
}
