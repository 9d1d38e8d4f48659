/** Reads bytes as a source of telemetry, as the tests of lake/telemetry do. */
import type { ReadOutcome, SourceBytes } from '#lake/kind';
import { telemetry } from '#lake/telemetry/kind';
import { toPlain } from '#lake/typed-rows';

export interface ReadBytes {
    outcome: ReadOutcome;
    rejects: Readonly<Record<string, unknown>>[];
}

export interface ReadBytesOptions {
    /** Profiles of the lake by name. */
    profiles: Readonly<Record<string, unknown>>;
    /** The profile that the uploader names. */
    profile?: string;
    site?: string;
    /** Takes the names of the profiles that are asked for. */
    asked?: string[];
    /** Bytes that come at once. */
    chunkBytes?: number;
}

/** A source of these bytes. */
export function sourceOf(
    bytes: Buffer,
    { profiles, site = 'main', asked = [], chunkBytes = 1 << 16 }: ReadBytesOptions,
    rejects: ReadBytes['rejects'] = [],
): SourceBytes {
    return {
        name: 'messages.jsonl',
        site,
        sizeBytes: bytes.length,
        async *open() {
            rejects.length = 0;
            // One chunk at a time is whole: the next one may overwrite it.
            const chunk = Buffer.alloc(chunkBytes);
            for (let from = 0; from < bytes.length; from += chunkBytes) {
                const length = bytes.copy(chunk, 0, from, Math.min(from + chunkBytes, bytes.length));
                yield chunk.subarray(0, length);
                chunk.fill(0x7a);
            }
        },
        readRange: async ({ start, end }) => new Uint8Array(bytes.subarray(start, end)),
        reject: async (rows) => void rejects.push(...rows),
        input: async (name) => {
            asked.push(name);
            return name in profiles ? { version: 1, document: profiles[name] } : undefined;
        },
    };
}

/** Reads the bytes to their end. */
export async function readBytes(bytes: Buffer | string, options: ReadBytesOptions): Promise<ReadBytes> {
    const rejects: ReadBytes['rejects'] = [];
    const source = sourceOf(Buffer.from(bytes as string), options, rejects);
    const outcome = await telemetry.read(source, options.profile === undefined ? {} : { profile: options.profile });
    return { outcome, rejects };
}

/** The rows of the outcome, hour by hour, as objects. */
export function rowsOf(outcome: ReadOutcome): Record<string, unknown>[] {
    if (!outcome.ok) {
        throw new Error(outcome.error);
    }
    return [...outcome.periods].flatMap(([period, typed]) => {
        const rows = toPlain(telemetry.contributions, typed);
        return Array.from({ length: typed.count }, (_, row) => ({
            period,
            ...Object.fromEntries(telemetry.contributions.columns.map(({ name }) => [name, rows[name]?.[row]])),
        }));
    });
}
