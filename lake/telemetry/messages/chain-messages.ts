/** Takes the lines of a chain object: each says by which profile its message is read. */
import { compareSequences, decodeLine, toMessage } from '../chain-line.ts';
import type { MessagePlace, MessageTaker } from './message-scanner.ts';
import type { MessagesTaken } from './messages-taken.ts';
import type { OpenProfiles } from './open-profiles.ts';

export interface ChainTakerOptions {
    taken: MessagesTaken;
    profiles: OpenProfiles;
    /** Site of messages whose line names none. */
    site: string;
}

/** A site that a raw key may name. */
const SITE = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

export class ChainTaker implements MessageTaker {
    readonly #taken: MessagesTaken;
    readonly #profiles: OpenProfiles;
    readonly #site: string;
    #last = '0';
    #end: string | undefined;
    /** Why the object is not one that the chain's writer has put there. */
    failure: string | undefined;

    constructor({ taken, profiles, site }: ChainTakerOptions) {
        this.#taken = taken;
        this.#profiles = profiles;
        this.#site = site;
    }

    take({ bytes, start, end, lineNumber }: MessagePlace): boolean {
        if (this.#taken.isFull) {
            return false;
        }
        const shown = bytes.subarray(start, end);
        const line = decodeLine(bytes.toString('utf8', start, end));
        if (this.#end !== undefined) {
            this.failure ??= `line ${lineNumber} stands behind the end of the chain object`;
            return true;
        }
        if (line.is === 'end') {
            this.#end = line.sequence;
            return true;
        }
        if (line.is === 'broken') {
            this.#taken.reject({ reason: 'no_chain_line', why: line.why }, { shown, lineNumber });
            return true;
        }
        const { message } = line;
        const { profile: name, site = this.#site, payload, refused } = message;
        if (compareSequences(message.sequence, this.#last) < 0) {
            this.failure ??= `the sequence number ${message.sequence} of line ${lineNumber} is behind a greater one, ${this.#last}`;
        }
        this.#last = message.sequence;
        if (refused !== undefined) {
            this.#taken.reject({ reason: 'refused', why: refused }, { shown: payload, lineNumber });
            return true;
        }
        const known = name === undefined ? undefined : this.#profiles.find(name);
        if (name !== undefined && !known) {
            return false;
        }
        if (!known?.profile) {
            const why =
                name === undefined ? 'the device had no profile when the message arrived' : `there is no profile ${name} in the lake`;
            this.#taken.reject({ reason: 'no_profile', why }, { shown: payload, lineNumber });
        } else if (!SITE.test(site)) {
            this.#taken.reject(
                { reason: 'no_site', why: `its site ${JSON.stringify(site)} is no name of a site` },
                { shown: payload, lineNumber },
            );
        } else {
            this.#taken.take({ message: toMessage(message), profile: known.profile, site, lineNumber });
        }
        return true;
    }

    /** Why it is not such an object where it ends here. */
    faultOfEnd(): string | undefined {
        if (this.#end === undefined) {
            return 'a chain object without the line that tells its end: it was cut';
        }
        return compareSequences(this.#end, this.#last) === 0
            ? undefined
            : `a chain object whose end is ${this.#end}, and whose last message is ${this.#last}`;
    }
}
