/** The kind of data that messages of devices are. */
import type { Kind } from '#lake/kind';
import { derivedTables } from './derivations.ts';
import { doubtsOf } from './doubts.ts';
import { nothingFound } from './nothing-found.ts';
import { foundInTelemetry, messagesRejected, readingSummaries, readings } from './tables.ts';
import { WIDE_VIEW, wideViewOf } from './wide-view.ts';

/** Names that files of messages have; other names too. */
const MESSAGE_FILE = /\.(json|jsonl|ndjson|senml|csv)(\.(gz|zst))?$/i;

export const telemetry: Kind = {
    name: 'telemetry',
    format: 1,
    merged: readings,
    contributions: readingSummaries,
    rejects: messagesRejected,
    found: foundInTelemetry,
    nothingFound,
    accounts: { rows: 'copies', total: 'readings', partsRejected: 'metrics_rejected' },
    hasOwnSites: true,
    askedBy: ['device', 'metric'],
    inputs: {
        prefix: 'profiles/',
        noun: 'profile',
        example: 'plain-json',
        viewPrefix: WIDE_VIEW,
        presets: async () => (await import('./presets.ts')).PRESETS,
        check: async (document) => (await import('./profile/profile.ts')).parseProfile(document).name,
        tryOut: async (document, payload) => (await import('./try-payload.ts')).tryPayload(document, payload),
        viewOf: async (document) => wideViewOf((await import('./profile/profile.ts')).parseProfile(document).document),
    },
    options: [
        {
            name: 'profile',
            flag: 'profile',
            meaning: 'how the messages of a file of history are to be read: the name of a profile of the lake',
        },
    ],
    isLikelyName: (name) => MESSAGE_FILE.test(name),
    // The reader is loaded when something is read: naming the kind must cost nothing.
    inspect: async (bytes) => (await import('./read.ts')).inspectTelemetry(bytes),
    read: async (source, options) => (await import('./read.ts')).readTelemetry(source, options),
    beginning: async (source, options) => (await import('./read.ts')).readFirstMessages(source, options),
    trace: async (source, wanted) => (await import('./trace.ts')).traceReadings(source, wanted),
    doubtsOf,
    derived: derivedTables,
};
