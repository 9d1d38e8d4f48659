/**
 * Tickets: what stands in for a token where a program cannot send headers, as browsers' EventSource cannot. A ticket opens the live events for a minute and nothing
 * else, so that no token stands in an address, where logs and histories keep it. Whoever has the key can check one: several servers need no common memory.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const TICKET_LIFE_MS = 60_000;

export class Tickets {
    readonly #key: Uint8Array;
    readonly #now: () => number;

    constructor({ key, now }: { key: Uint8Array; now: () => number }) {
        this.#key = key;
        this.#now = now;
    }

    /** A ticket for the reader, and when it ends. */
    issue(reader: string): { ticket: string; expiresMs: number } {
        const expiresMs = this.#now() + TICKET_LIFE_MS;
        const claims = Buffer.from(JSON.stringify([expiresMs, reader])).toString('base64url');
        return { ticket: `${claims}.${this.#sign(claims).toString('base64url')}`, expiresMs };
    }

    /** The reader that it was given to; undefined for one that is forged or over. */
    readerOf(ticket: string): string | undefined {
        const [claims = '', signature = '', ...more] = ticket.split('.');
        const [wanted, given] = [this.#sign(claims), Buffer.from(signature, 'base64url')];
        if (more.length > 0 || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
            return undefined;
        }
        const [expiresMs, reader] = JSON.parse(Buffer.from(claims, 'base64url').toString());
        return this.#now() < expiresMs ? reader : undefined;
    }

    #sign(claims: string): Buffer {
        return createHmac('sha256', this.#key).update(`ticket:${claims}`).digest();
    }
}
