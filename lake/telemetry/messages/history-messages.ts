/** Takes the messages of a file of history: each element or row is the payload, or an envelope around it. All are read by one profile. */
import type { CsvRow } from './csv-messages.ts';
import { isEnvelope, openEnvelope } from './envelope.ts';
import type { MessagePlace, MessageTaker } from './message-scanner.ts';
import type { MessagesTaken, OpenProfile } from './messages-taken.ts';

const LIST_START = Buffer.from('[');
const LIST_END = Buffer.from(']');

export interface HistoryTakerOptions {
    taken: MessagesTaken;
    profile: OpenProfile;
    site: string;
    /** True if the messages are elements of an array, and the profile reads payloads that are lists. */
    isInList: boolean;
}

export class HistoryTaker implements MessageTaker {
    readonly #taken: MessagesTaken;
    readonly #profile: OpenProfile;
    readonly #site: string;
    readonly #isInList: boolean;
    /** True if the file is a log of envelopes; its first message tells. */
    #isLog: boolean | undefined;

    constructor({ taken, profile, site, isInList }: HistoryTakerOptions) {
        this.#taken = taken;
        this.#profile = profile;
        this.#site = site;
        this.#isInList = isInList;
    }

    take(place: MessagePlace): boolean {
        const taken = this.#taken;
        if (taken.isFull) {
            return false;
        }
        this.#isLog ??= isEnvelope(place);
        const { bytes, start, end, lineNumber } = place;
        const element = bytes.subarray(start, end);
        const payload = this.#isInList && !this.#isLog ? Buffer.concat([LIST_START, element, LIST_END]) : element;
        const message = this.#isLog ? openEnvelope(place) : { payload, arrivedMs: undefined };
        if ('why' in message) {
            taken.reject({ reason: 'no_envelope', why: message.why }, { shown: element, lineNumber });
        } else {
            taken.take({ message, profile: this.#profile, site: this.#site, lineNumber, shown: this.#isLog ? undefined : element });
        }
        return true;
    }

    /** Takes a row of a text with separators. */
    takeRow({ bytes, start, end, lineNumber, found }: CsvRow): boolean {
        const taken = this.#taken;
        if (taken.isFull) {
            return false;
        }
        const shown = bytes.subarray(start, end);
        if ('reason' in found) {
            taken.reject(found, { shown, lineNumber });
        } else {
            const message = { payload: found.payload, arrivedMs: undefined };
            taken.take({ message, profile: this.#profile, site: this.#site, lineNumber, shown });
        }
        return true;
    }
}
