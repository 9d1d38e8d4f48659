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
        presets: async () => (await import('#lake/telemetry/presets')).PRESETS,
        check: async (document) => (await import('#lake/telemetry/profile/profile')).parseProfile(document).name,
        tryOut: async (document, payload) => (await import('#lake/telemetry/try-payload')).tryPayload(document, payload),
        exampleOf: async (document, options) => (await import('#lake/telemetry/profile/example-message')).exampleMessage(document, options),
        viewOf: async (document) => wideViewOf((await import('#lake/telemetry/profile/profile')).parseProfile(document).document),
    },
    options: [
        {
            name: 'profile',
            flag: 'profile',
            isNeeded: true,
            meaning: 'how the messages of a file of history are to be read: the name of a profile of the lake',
        },
    ],
    isLikelyName: (name) => MESSAGE_FILE.test(name),
    // The reader is loaded when something is read: naming the kind must cost nothing.
    inspect: async (bytes) => (await import('#lake/telemetry/read')).inspectTelemetry(bytes),
    read: async (source, options) => (await import('#lake/telemetry/read')).readTelemetry(source, options),
    beginning: async (source, options) => (await import('#lake/telemetry/read')).readFirstMessages(source, options),
    trace: async (source, wanted) => (await import('#lake/telemetry/trace')).traceReadings(source, wanted),
    doubtsOf,
    derived: derivedTables,
};
