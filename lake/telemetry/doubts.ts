/** What a person should know of how a source of telemetry was read. */
import type { Doubt, Found } from '#lake/kind';

/** The doubts that a ledger record tells of. */
export function doubtsOf(record: Found): Doubt[] {
    const { readings, clock_arrival: byArrival, unknown_fields: unknown, metrics_rejected: rejected } = record;
    const doubts: Doubt[] = [];
    if (typeof readings === 'number' && typeof byArrival === 'number' && byArrival > 0) {
        doubts.push({
            text: `Devices of {files} told no time that can be believed for ${sayShare(byArrival, readings)} of the readings`,
            remedy: 'these stand at the time of arrival, with clock = arrival; look at the devices’ clocks, and at time in the profile',
        });
    }
    if (typeof rejected === 'number' && rejected > 0) {
        doubts.push({
            text: 'Metrics in messages of {files} have no reading',
            remedy: 'flowlake query "select metric, reason, why from messages_rejected where metric is not null" tells which and why',
        });
    }
    if (typeof unknown === 'string') {
        doubts.push({
            text: 'Messages of {files} have fields that no profile names',
            remedy: `${unknown}; what is to be kept needs a metric in the profile (flowlake profile add), what is not can be named under ignore`,
        });
    }
    return doubts;
}

function sayShare(part: number, all: number): string {
    const percent = (part / all) * 100;
    return percent >= 1 ? `${Math.round(percent)} %` : 'less than 1 %';
}
