/** A sample of what probes in branch offices send: files of CICFlowMeter or another tool, one per site and day. Equal options give equal bytes. */
import { UsageError } from '#lake/errors';
import { rawKey } from '#lake/layout';
import { isDay } from '#sample/calendar';
import type { FileToWrite } from '#sample/write-files';
import type { AnomalyKind } from './anomalies.ts';
import { createSpeeches, writeFlows } from './flow-text.ts';
import { pairAddresses } from './network.ts';
import type { Tool } from './tools/tool.ts';
import { createSites, type SampleOptions, shareOut } from './traffic.ts';

export const DEFAULT_SAMPLE: SampleOptions = {
    flows: 100_000,
    days: 30,
    pairs: 200,
    seed: 1,
    sites: ['berlin', 'lisbon', 'osaka'],
    // A Monday.
    firstDay: '2026-01-05',
};

/** Counts of flows are kept in 32 bits; this many make a terabyte. */
const MAX_FLOWS = 2_000_000_000;
/** Devices beyond these no longer find an address in 10.0.0.0/8. */
const MAX_PAIRS = 20_000_000;
const MAX_DAYS = 36_500;

export interface SampleFile {
    site: string;
    /** File name, `<day>_Flow.csv`, or as the tool's are. */
    name: string;
    day: string;
    /** Count of flows; a row each, but where a tool writes one for each direction. */
    flows: number;
    /** The file's bytes, each chunk the reader's own; they can be asked for again, and several files at once. */
    chunks: Iterable<Uint8Array>;
}

/** The sample's files as they are written: below `site=<site>/`, so that the folder can be uploaded as it is. Writing again is safe: equal options give equal bytes. */
export function* flowFiles(...sample: Parameters<typeof sampleFiles>): Generator<FileToWrite> {
    for (const { site, name, flows, chunks } of sampleFiles(...sample)) {
        yield { path: `site=${site}/${name}`, rows: flows, chunks };
    }
}

/** An unusual day that is in the sample on purpose. */
export interface PlannedAnomaly {
    site: string;
    src: string;
    dst: string;
    day: string;
    kind: AnomalyKind;
}

/**
 * The sample's files, day by day, within a day site by site; a site without flows on a day has no file. Memory depends on the pairs, not
 * on the flows. `tool` writes them; CICFlowMeter does where none is given. @throws UsageError for options that make no sample, when the first file is asked for.
 */
export function* sampleFiles(options: Partial<SampleOptions> = {}, { tool }: { tool?: Tool | undefined } = {}): Generator<SampleFile> {
    const complete = checkOptions(options);
    const speeches = createSpeeches(complete.seed);
    for (const siteDay of shareOut(complete)) {
        const { network, calendarDay, flows } = siteDay;
        if (flows > 0) {
            const { day } = calendarDay;
            const chunks = { [Symbol.iterator]: () => writeFlows(siteDay, { speeches, seed: complete.seed, file: tool?.open(day) }) };
            yield { site: network.site, name: `${day}_${tool?.fileEnd ?? 'Flow.csv'}`, day, flows, chunks };
        }
    }
}

/**
 * The unusual days that `sampleFiles` plants, by site: a surge, a scan and a comeback each. Sites with less than a dozen pairs and samples
 * of less than two weeks have fewer or none. They stand out where an average pair has some ten flows a day or more.
 */
export function plannedAnomalies(options: Partial<SampleOptions> = {}): PlannedAnomaly[] {
    const { calendar, sites } = createSites(checkOptions(options));
    return sites.flatMap(({ network, anomalies }) =>
        anomalies.map(({ kind, pair, dayNumber }) => {
            const day = calendar[dayNumber]?.day ?? '';
            return { site: network.site, ...pairAddresses(network, pair), day, kind };
        }),
    );
}

/** The options, with defaults for what is not given. @throws UsageError */
function checkOptions(given: Partial<SampleOptions>): SampleOptions {
    const options: SampleOptions = {
        flows: checkWhole('flows', given.flows, { from: 1, to: MAX_FLOWS }),
        days: checkWhole('days', given.days, { from: 1, to: MAX_DAYS }),
        pairs: checkWhole('pairs', given.pairs, { from: 1, to: MAX_PAIRS }),
        seed: checkWhole('seed', given.seed, { from: 0, to: 0xffffffff }),
        sites: given.sites ?? DEFAULT_SAMPLE.sites,
        firstDay: given.firstDay ?? DEFAULT_SAMPLE.firstDay,
    };
    if (options.sites.length === 0 || new Set(options.sites).size < options.sites.length) {
        throw new UsageError(`sites are "${options.sites.join(', ')}": give at least one, each once`);
    }
    for (const site of options.sites) {
        rawKey({ site, name: 'sample.csv' });
    }
    if (!isDay(options.firstDay)) {
        throw new UsageError(`firstDay is "${options.firstDay}": give a day from 1900 to 2199 like ${DEFAULT_SAMPLE.firstDay}`);
    }
    return options;
}

function checkWhole(
    name: 'flows' | 'days' | 'pairs' | 'seed',
    given: number | undefined,
    { from, to }: { from: number; to: number },
): number {
    const value = given ?? DEFAULT_SAMPLE[name];
    if (!Number.isInteger(value) || value < from || value > to) {
        throw new UsageError(`${name} is ${value}: give a whole number from ${from} to ${to}`);
    }
    return value;
}
