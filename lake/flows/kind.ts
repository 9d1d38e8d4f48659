/** The kind of data that network flows are. */

import { shortAddress } from '#lake/addresses';
import type { Found, Kind } from '#lake/kind';
import { doubtsOf } from './doubts.ts';
import { readingOptions } from './options.ts';
import { COUNT_OF, flowMeasures, flowSummaries, foundInFlows, pairDays, rejects } from './tables.ts';

/** Names that files of flows have; other names too. */
const FLOW_FILE = /\.(csv|tsv|log)(\.(gz|zst))?$/i;

const nothingFound: Found = {
    dialect: null,
    date_order: null,
    duration_unit: null,
    duration_unit_by: null,
    repeated_headers: 0,
    rows_skipped: 0,
    skipped: null,
    rejected: null,
    announced: null,
    pairs: 0,
};

export const flows: Kind = {
    name: 'flows',
    format: 3,
    unsaidFormat: 3,
    merged: pairDays,
    contributions: flowSummaries,
    rejects,
    found: foundInFlows,
    nothingFound,
    accounts: { rows: 'flows', keys: 'pairs', measures: flowMeasures, counts: COUNT_OF },
    options: readingOptions,
    isLikelyName: (name) => FLOW_FILE.test(name),
    toStoredKey: (typed) => typed.map((address) => shortAddress(address) ?? address),
    // The reader is loaded when something is read: naming the kind must cost nothing.
    inspect: async (bytes, parts) => (await import('#lake/flows/read-flows')).inspectFlows(bytes, parts),
    read: async (source, options) => (await import('#lake/flows/read')).readSource(source, options),
    beginning: async (source, options) => (await import('#lake/flows/read')).readFirstFlows(source, options),
    trace: async (source, wanted) => (await import('#lake/flows/trace')).traceRows(source, wanted),
    doubtsOf,
    passes: {
        anomalies: async (days, parameters) => (await import('#lake/flows/anomalies/find-anomalies')).findAnomalies(days, parameters),
    },
};
