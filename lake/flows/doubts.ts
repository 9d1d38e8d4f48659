/** What a person should know of how a file of flows was read. */
import type { Doubt, Found, ReadingOptions } from '#lake/kind';

const UNIT_WORDS: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', us: 'microseconds', ns: 'nanoseconds' };

/** Exporters and meters did not exist before. */
const FIRST_DAY = '1990-01-01';

const DAY_MS = 86_400_000;

/** The doubts that a ledger record and the options of the reading tell of, as of `now`. */
export function doubtsOf(record: Found, { options, now }: { options: ReadingOptions; now: Date }): Doubt[] {
    return [
        ...doubtsOfReading(record),
        ...doubtsOfOptions(record, options),
        ...doubtsOfDurations(record),
        ...doubtsOfDays(record, now),
        ...doubtsOfSkipped(record),
        ...doubtsOfRejected(record),
        ...doubtsOfTrailer(record),
    ];
}

function doubtsOfReading({ dialect, date_order: dateOrder, duration_unit: unit, duration_unit_by: unitBy }: Found): Doubt[] {
    const doubts: Doubt[] = [];
    if (dateOrder === 'assumed') {
        doubts.push({
            text: 'Nothing in {files} tells day from month',
            remedy: 'day first was taken; if the month is first: --replace --date-order mdy',
        });
    }
    if (unitBy === 'assumed') {
        const other = unit === 's' ? 'us' : 's';
        doubts.push({
            text: 'Nothing in {files} tells seconds from microseconds',
            remedy: `durations were taken for ${UNIT_WORDS[unit ?? ''] ?? unit}; if that is wrong: --replace --duration-unit ${other}`,
        });
    }
    if (dialect === 'argus') {
        doubts.push({
            text: 'Argus writes a flow that goes on as several status records, and {files} count each as a flow',
            remedy: 'where that matters, merge them first: racluster -r FILE -w MERGED',
        });
    }
    return doubts;
}

/** Options that the form of a file leaves no use for. */
function doubtsOfOptions({ dialect, date_order: dateOrder, duration_unit_by: unitBy }: Found, options: ReadingOptions): Doubt[] {
    const doubts: Doubt[] = [];
    if (options.dateOrder !== undefined && dateOrder === 'epoch') {
        doubts.push({
            text: '--date-order changes nothing in {files}',
            remedy: 'times are counted from 1970 there, or written as ISO 8601, and have no order; leave the option out',
        });
    }
    if (options.durationUnit !== undefined && unitBy === 'named') {
        doubts.push({
            text: '--duration-unit changes nothing in {files}',
            remedy: `${dialect} writes when flows begin and end, and no durations; leave the option out`,
        });
    }
    return doubts;
}

/** Nothing was read that a unit could be of where flows were kept and none of them has a duration. */
function doubtsOfDurations({ rows_kept: kept, duration_unit: unit }: Found): Doubt[] {
    return typeof kept === 'number' && kept > 0 && unit === null
        ? [
              {
                  text: 'No flow has a duration in {files}',
                  remedy: 'they count with their packets, and no figure of durations has them; flows of one packet often have none, of others look at what wrote them',
              },
          ]
        : [];
}

function doubtsOfDays({ first_day: first, last_day: last }: Found, now: Date): Doubt[] {
    // East of Greenwich a day begins before it does in UTC.
    const tomorrow = new Date(now.getTime() + DAY_MS).toISOString().slice(0, 10);
    const doubts: Doubt[] = [];
    if (typeof last === 'string' && last > tomorrow) {
        doubts.push({
            text: 'Days of {files} lie in the future',
            remedy: `up to ${last}; look at the exporter’s clock, and whether --date-order is right`,
        });
    }
    if (typeof first === 'string' && first < FIRST_DAY) {
        doubts.push({ text: 'Days of {files} lie before 1990', remedy: `from ${first} on; was the exporter’s clock set?` });
    }
    return doubts;
}

const HOW_OFTEN = 'flowlake query "select source, skipped from sources" tells how often';

function doubtsOfSkipped({ skipped }: Found): Doubt[] {
    const reasons = typeof skipped === 'string' ? skipped : '';
    const doubts: Doubt[] = [];
    if (reasons.includes('skip_data')) {
        doubts.push({
            text: 'AWS did not record all that it saw for {files} (SKIPDATA)',
            remedy: `the figures of those minutes are too low; ${HOW_OFTEN}`,
        });
    }
    if (reasons.includes('other_log')) {
        doubts.push({
            text: 'Rows of other Zeek logs than conn stand in {files}',
            remedy: `they were skipped, whatever their columns are; ${HOW_OFTEN}`,
        });
    }
    return doubts;
}

/** nfdump counts the records that it read, which -b and -B join two by two. */
function doubtsOfTrailer({ announced }: Found): Doubt[] {
    return typeof announced === 'string'
        ? [
              {
                  text: 'nfdump’s summary in {files} tells of another count of flows than stands above it',
                  remedy: `${announced} are there; unless -b or -B joined them, the file was cut or filtered: write it anew with nfdump -r FILE -o csv`,
              },
          ]
        : [];
}

/** Times that an exporter sends in another form than nfcapd reads come out as an end before the beginning, which nfdump writes as 2^64 milliseconds. */
function doubtsOfRejected({ dialect, rejected }: Found): Doubt[] {
    return dialect === 'nfdump' && typeof rejected === 'string' && /\btoo_large\b/.test(rejected)
        ? [
              {
                  text: 'Flows of {files} last half a million years: their exporter’s IPFIX times are not those that nfcapd reads',
                  remedy: 'have it send absolute times in milliseconds (softflowd: -v 10 -A milli)',
              },
          ]
        : [];
}
