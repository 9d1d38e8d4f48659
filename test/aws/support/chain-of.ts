/** What stands in the chains of a lake: the messages of the objects that came since the last look. */
import { gunzipSync } from 'node:zlib';
import type { ObjectStore } from '#lake/store/object-store';
import { type ChainMessage, decodeLine } from '#lake/telemetry/chain-line';

/** Looks at objects once each. @throws for a line that cannot be read */
export class ChainReader {
    readonly #store: ObjectStore;
    readonly #seen = new Set<string>();
    readonly messages: ChainMessage[] = [];

    constructor(store: ObjectStore) {
        this.#store = store;
    }

    async look(): Promise<void> {
        for await (const { key } of this.#store.list('raw/kind=telemetry/stream=')) {
            const object = this.#seen.has(key) ? undefined : await this.#store.get(key);
            if (object) {
                this.#seen.add(key);
                for (const text of gunzipSync(object.bytes).toString().split('\n')) {
                    const line = decodeLine(text);
                    if (line.is === 'message') {
                        this.messages.push(line.message);
                    } else if (line.is === 'broken' && text !== '') {
                        throw new Error(`${key}: ${line.why}`);
                    }
                }
            }
        }
    }
}
