/** A store whose every call is handed to somebody who decides when it takes effect; a listing is one call for each page. */
import type { ByteStream, ListedObject, ObjectStore } from '#lake/store/object-store';

export type MakeCall = <T>(what: string, effect: () => Promise<T>, options?: { isConditional?: boolean }) => Promise<T>;

/** Objects of one page: between two pages others may write. */
const PAGE_OBJECTS = 2;

export function stepwiseStore(store: ObjectStore, call: MakeCall): ObjectStore {
    return {
        head: (key) => call(`head ${key}`, () => store.head(key)),
        get: (key) => call(`get ${key}`, () => store.get(key)),
        readEnd: (key, options) => call(`read the end of ${key}`, () => store.readEnd(key, options)),
        readRange: (key, options) => call(`read a range of ${key}`, () => store.readRange(key, options)),
        async *open(key, options) {
            yield* await call(`open ${key}`, () => piecesOf(store.open(key, options)));
        },
        async put(key, body, options) {
            const bytes = body instanceof Uint8Array ? body : Buffer.concat(await piecesOf(body));
            return call(`put ${key}`, () => store.put(key, bytes, options), { isConditional: options?.ifMatch !== undefined });
        },
        delete: (key, options) => call(`delete ${key}`, () => store.delete(key, options)),
        async *list(prefix) {
            for (let after = ''; ; ) {
                const page = await call(after ? `list ${prefix} after ${after}` : `list ${prefix}`, () =>
                    pageOf(store.list(prefix), after),
                );
                yield* page;
                if (page.length < PAGE_OBJECTS) {
                    return;
                }
                after = page.at(-1)?.key ?? '';
            }
        },
    };
}

async function pageOf(listing: AsyncIterable<ListedObject>, after: string): Promise<ListedObject[]> {
    const page: ListedObject[] = [];
    for await (const object of listing) {
        if (object.key > after && page.length < PAGE_OBJECTS) {
            page.push(object);
        }
    }
    return page;
}

async function piecesOf(stream: ByteStream): Promise<Buffer[]> {
    const pieces: Buffer[] = [];
    for await (const piece of stream) {
        pieces.push(Buffer.from(piece));
    }
    return pieces;
}
