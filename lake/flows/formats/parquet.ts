/**
 * Parquet: the columns that are needed, row group by row group and page by page. Values are taken exactly as they are stored. docs/reading.md has
 * the rules.
 */
import type { ByRange } from '#lake/kind';
import { BATCH_FLOWS } from '../flow-batch.ts';
import { type FlowPlace, FlowSink, isNoDuration, type ReadFlowsOptions, type TimedFlow } from '../flow-sink.ts';
import { microsecondsBetween } from '../instants.ts';
import { isAgainst, type NumberStyle, styleOf, toPlain } from '../number-styles.ts';
import { hasFraction, parseWhole } from '../numbers.ts';
import { UNIT_DIGITS } from '../options.ts';
import { type AddressKey, UNTIMED } from '../pair-table.ts';
import type { RejectReason } from '../rejects.ts';
import { givenUnit, normalize, ROLES, type Role } from './dialects/dialect.ts';
import type { FormatRead, UnitBy, Unusable } from './format.ts';
import { findColumns, type Header } from './header.ts';
import { NOT_FAST, type NumberRule, slotOfInstants, wholeOf } from './parquet/fast-values.ts';
import { chunkOf, columnAt, ENCRYPTED_MARK, MARK, openParquet, type ParquetFile } from './parquet/file.ts';
import { type ReadColumn, readPages } from './parquet/pages.ts';
import { RefusedParquetError } from './parquet/refused.ts';
import { advance, type Cursor, type Made, type MadeColumn, NO_PAGE, RowPlace, Step } from './parquet/step.ts';
import { type ColumnType, textOfStored } from './parquet/values.ts';
import { FIRST_WITNESS_LINES, UnitJudge, unitByOf, WITNESS_LINES_APART, witnessedUnit } from './unit-witness.ts';

const SUM_DIGITS = UNIT_DIGITS.us;

/** Rows between two looks at whether there are rejects to hand over. */
const STEP_ROWS = 4096;

const LACKING = 'a Parquet file without the columns of flows';

const TEXTS: readonly ColumnType['is'][] = ['text'];
const NUMBERS: readonly ColumnType['is'][] = ['text', 'number', 'unsigned32', 'unsigned64', 'float32', 'decimal'];
const TIMES: readonly ColumnType['is'][] = [...NUMBERS, 'instant'];

/** True if a file that begins with these bytes is Parquet. */
export function isParquet(start: Uint8Array): boolean {
    return [MARK, ENCRYPTED_MARK].includes(Buffer.from(start.subarray(0, MARK.length)).toString('latin1'));
}

/** Reads to the end, or to where the file has turned out to be of no use. */
export function readParquet(ranges: ByRange, options: ReadFlowsOptions): Promise<FormatRead> {
    return unlessRefused(async () => {
        const file = await openParquet(ranges);
        const found = findColumns(file.names, LACKING);
        return found.ok ? readRows(ranges, new RowReader(file, { header: found.header, options })) : found;
    });
}

/** Why a file is no usable file of this format, from its table of contents alone; undefined where it is one. */
export async function whyNoParquet(ranges: ByRange): Promise<Unusable | undefined> {
    const found = await unlessRefused(async () => {
        const file = await openParquet(ranges);
        const columns = findColumns(file.names, LACKING);
        return columns.ok ? { ok: true as const, reader: new RowReader(file, { header: columns.header, options: {} }) } : columns;
    });
    return found.ok ? undefined : found;
}

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | { ok: false; error: string }> {
    try {
        return await work();
    } catch (error) {
        if (error instanceof RefusedParquetError) {
            return { ok: false, error: error.message };
        }
        throw error;
    }
}

interface RowsOptions {
    header: Header;
    options: ReadFlowsOptions;
}

async function readRows(ranges: ByRange, reader: RowReader): Promise<FormatRead> {
    let rowsRejected = 0;
    for (let group = 0; group < reader.groupCount; group += 1) {
        for await (const _ of reader.readGroup(ranges, group)) {
            reader.options.signal?.throwIfAborted();
            const { rejects } = reader.sink;
            if (rejects.length > 0) {
                rowsRejected += rejects.length;
                reader.sink.rejects = [];
                await reader.options.onRejects?.(rejects);
            }
            if (reader.isOver) {
                return reader.found(rowsRejected);
            }
        }
    }
    return reader.found(rowsRejected);
}

class RowReader {
    readonly sink: FlowSink;
    readonly #file: ParquetFile;
    readonly #header: Header;
    readonly options: ReadFlowsOptions;
    readonly #named: { by: UnitBy };
    readonly #judge: UnitJudge;
    readonly #columns: Record<Role, ReadColumn>;
    /** Columns beside the needed ones, by their place among all: those that tell what a row is, and the witnesses of the unit. */
    readonly #others = new Map<number, ReadColumn>();
    readonly #witness: Header['witness'];
    #hasFractions = false;
    readonly #isFast: boolean;
    #rows = 0;
    #otherStyle: NumberStyle | undefined;
    #failure: string | undefined;
    #repeatedHeaders = 0;

    constructor(file: ParquetFile, { header, options }: RowsOptions) {
        const { dialect, names, columns, witness, kindColumns } = header;
        const { durationUnit, numbers, dates } = options.settled ?? {};
        this.#file = file;
        this.#header = header;
        this.options = options;
        const named = dialect.unit(names);
        const given = givenUnit(dialect, options);
        const unit = given ?? durationUnit?.unit ?? named.unit;
        this.#named = named;
        this.#judge = new UnitJudge({ unit, isGiven: given !== undefined, first: durationUnit });
        this.sink = new FlowSink({
            dateRules: {
                givenOrder: options.dateOrder,
                slashOrder: dates?.slashOrder,
                epochUnit: dates?.epochUnit,
                days: dates?.days,
                minEpochSeconds: dialect.minEpochSeconds,
                isWithoutJanuary1970: dialect.isWithoutJanuary1970,
            },
            separator: header.separator,
            durationScale: SUM_DIGITS - UNIT_DIGITS[unit],
            numberStyle: numbers?.style,
            watch: options.watch,
            isForBeginning: options.isForBeginning,
        });
        this.#columns = {
            src_ip: columnAt(file, columns.src_ip, TEXTS),
            dst_ip: columnAt(file, columns.dst_ip, TEXTS),
            timestamp: columnAt(file, columns.timestamp, TIMES),
            flow_duration: columnAt(file, columns.flow_duration, dialect.isEnd === true ? TIMES : NUMBERS),
            fwd_pkts: columnAt(file, columns.fwd_pkts, NUMBERS),
        };
        const { timestamp, flow_duration: end } = this.#columns;
        if (dialect.isEnd === true && (timestamp.type.is === 'instant') !== (end.type.is === 'instant')) {
            throw new RefusedParquetError(`columns ${JSON.stringify(timestamp.name)} and ${JSON.stringify(end.name)} are of two types`);
        }
        for (const at of kindColumns.filter((place) => place >= 0)) {
            this.#others.set(at, columnAt(file, at, TIMES));
        }
        this.#witness = witness;
        for (const at of witness ? [witness.rate, witness.backward ?? witness.rate] : []) {
            this.#others.set(at, columnAt(file, at, NUMBERS));
        }
        const isSpecial = dialect.isEnd === true || dialect.rowKind !== undefined;
        this.#isFast = !isSpecial && options.watch === undefined && this.sink.numberStyle === 'plain';
    }

    get groupCount(): number {
        return this.#file.metadata.row_groups.length;
    }

    /** True if nothing more is to be read: the file is of no use, or must be read again with what was found out. */
    get isOver(): boolean {
        const isUnitRefused = this.#judge.conflict !== undefined && this.options.settled?.numbers?.isFinal === true;
        return this.#failure !== undefined || this.#judge.other !== undefined || this.#otherStyle !== undefined || isUnitRefused;
    }

    /** What the rows came to. */
    found(rowsRejected: number): FormatRead {
        const judge = this.#judge;
        if (this.#failure !== undefined) {
            return { ok: false, error: this.#failure };
        }
        if (this.#otherStyle !== undefined) {
            const isMixed = this.options.settled?.numbers !== undefined;
            return {
                ok: false,
                readAgainWith: {
                    numbers: isMixed ? { style: 'plain', isFinal: true } : { style: this.#otherStyle, isFinal: false },
                    // What rows said of the unit was read in a style that is none of the file's.
                    durationUnit: undefined,
                },
            };
        }
        if (judge.conflict !== undefined) {
            return { ok: false, error: judge.conflict };
        }
        if (judge.other) {
            return { ok: false, readAgainWith: { durationUnit: judge.other } };
        }
        this.sink.flush();
        return {
            ok: true,
            sink: this.sink,
            dialect: this.#header.dialect.name,
            durationUnit: judge.unit,
            durationUnitBy: unitByOf({
                isGiven: givenUnit(this.#header.dialect, this.options) !== undefined,
                judge,
                named: this.#named.by,
                hasFractions: this.#hasFractions,
            }),
            rowsRejected,
            repeatedHeaders: this.#repeatedHeaders,
        };
    }

    /** Reads a row group, and says each time that some thousand rows were taken. */
    async *readGroup(ranges: ByRange, group: number): AsyncGenerator<void> {
        const rowCount = Number(this.#file.metadata.row_groups[group]?.num_rows ?? 0n);
        const open = async (column: ReadColumn, at: number): Promise<Cursor> => {
            const pages = readPages(ranges, chunkOf(this.#file, group, at), { column, rowCount });
            return { column, pages, page: NO_PAGE, at: 0 };
        };
        const { columns } = this.#header;
        const cursors = new Map<number, Cursor>();
        for (const role of ROLES) {
            cursors.set(columns[role], await open(this.#columns[role], columns[role]));
        }
        for (const [at, column] of this.#others) {
            if (!cursors.has(at)) {
                cursors.set(at, await open(column, at));
            }
        }
        const step = new Step(cursors, this.#header);
        const fast = this.#isFast ? this.#fastColumns(step) : undefined;
        for (let left = rowCount; left > 0; ) {
            for (const cursor of cursors.values()) {
                await advance(cursor);
            }
            const count = Math.min(left, STEP_ROWS, ...[...cursors.values()].map(({ page, at }) => page.rowCount - at));
            this.#takeRows(step, count, fast);
            for (const cursor of cursors.values()) {
                cursor.at += count;
            }
            left -= count;
            yield;
        }
    }

    #takeRows(step: Step, count: number, fast: FastColumns | undefined): void {
        const { sink } = this;
        const { batch } = sink;
        const [sources, destinations, slots, durations, packets] = fast
            ? [
                  fast.source.rows(count),
                  fast.destination.rows(count),
                  fast.slot.rows(count),
                  fast.duration.rows(count),
                  fast.packets.rows(count),
              ]
            : [];
        for (let row = 0; row < count; row += 1) {
            this.#rows += 1;
            const source = sources?.[row];
            const destination = destinations?.[row];
            const slot = slots?.[row];
            const duration = durations?.[row] ?? NOT_FAST;
            const packetCount = packets?.[row] ?? NOT_FAST;
            const isPlain =
                source !== undefined && destination !== undefined && typeof slot === 'number' && duration >= 0 && packetCount >= 0;
            if (!isPlain || sink.needsTexts || this.#isWitness()) {
                this.#takeAnyRow(step, row);
                continue;
            }
            const place = batch.count;
            batch.sources[place] = source.key;
            batch.destinations[place] = destination.key;
            batch.groups[place] = (slot << 2) | (source.isText ? 1 : 0) | (destination.isText ? 2 : 0);
            batch.durations[place] = duration;
            batch.packets[place] = packetCount;
            batch.count = place + 1;
            sink.rowsRead += 1;
            if (place + 1 === BATCH_FLOWS) {
                sink.flush();
            }
        }
    }

    /** True if the row is one of those that are asked for the unit of their duration. */
    #isWitness(): boolean {
        const { isUnitOpen = false } = this.#header.dialect;
        return this.#witness !== undefined && (isUnitOpen || this.#rows <= FIRST_WITNESS_LINES || this.#rows % WITNESS_LINES_APART === 0);
    }

    /** Takes a row with care: a flow, a reject, or what is no flow by right. */
    #takeAnyRow(step: Step, row: number): void {
        const { dialect, kindColumns, columns } = this.#header;
        const kind = dialect.rowKind?.of(kindColumns.map((at) => step.shown(at, row)));
        if (typeof kind === 'string') {
            this.sink.skip(kind);
            return;
        }
        if (kind) {
            this.#failure ??= kind.error;
            return;
        }
        const source = step.text(columns.src_ip, row);
        const destination = step.text(columns.dst_ip, row);
        const packets = numberText(step, columns.fwd_pkts, row);
        // The time when a flow ended is no number of the kind that styles group.
        const duration = dialect.isEnd === true ? step.text(columns.flow_duration, row) : numberText(step, columns.flow_duration, row);
        const timestamp = step.text(columns.timestamp, row);
        if (normalize(source) === normalize(this.#columns.src_ip.name) && step.isHeader(row)) {
            this.#repeatedHeaders += 1;
            return;
        }
        const place = new RowPlace(this.#rows, () => step.json(row));
        this.#hear(step, row, { duration, packets });
        if (this.#columns.timestamp.type.is === 'instant') {
            this.#takeTimed(step, row, { source, destination, packets, duration, place });
        } else if (dialect.isEnd === true) {
            this.sink.takeSpan({ source, destination, packets, timestamp, end: duration }, place);
        } else {
            this.sink.take({ source, destination, packets, timestamp, duration }, place);
        }
    }

    #takeTimed(
        step: Step,
        row: number,
        { place, duration, ...flow }: { source: string; destination: string; packets: string; duration: string; place: FlowPlace },
    ): void {
        const { columns, dialect } = this.#header;
        const began = step.instant(columns.timestamp, row);
        if (began === undefined) {
            this.sink.reject('missing_field', place);
            return;
        }
        const parsed = (): TimedFlow['duration'] => {
            const { durationScale: scale, numberStyle } = this.sink;
            const end = dialect.isEnd === true ? step.instant(columns.flow_duration, row) : undefined;
            const isMissing = dialect.isEnd === true ? end === undefined : isNoDuration(duration);
            if (isMissing) {
                return { ok: true, value: null };
            }
            return end === undefined ? parseWhole(toPlain(duration, numberStyle), { scale }) : microsecondsBetween(began, end);
        };
        this.sink.takeTimed({ ...flow, began: { ok: true, instant: began }, duration: parsed() }, place);
    }

    /** Finds out how the row writes its numbers, and which unit it speaks for. */
    #hear(step: Step, row: number, { duration, packets }: { duration: string; packets: string }): void {
        const style = this.sink.numberStyle;
        const { flow_duration, fwd_pkts } = this.#header.columns;
        const witness = this.#isWitness() ? this.#witness : undefined;
        if (this.options.settled?.numbers?.isFinal !== true) {
            // The time when a flow ended is no number of that kind.
            const durations = this.#header.dialect.isEnd === true ? [] : [flow_duration];
            const styles = [...durations, fwd_pkts, ...(witness ? [witness.rate] : [])].map((at) =>
                step.isText(at) ? styleOf(step.text(at, row)) : undefined,
            );
            this.#otherStyle ??= styles.find((one) => one !== undefined && isAgainst(one, style));
        }
        this.#hasFractions ||= this.#header.dialect.isDurationWhole === true && hasFraction(toPlain(duration, style));
        if (witness) {
            const backward = witness.backward === undefined ? [] : [numberText(step, witness.backward, row)];
            const unit = witnessedUnit({
                duration: toPlain(duration, style),
                rate: toPlain(numberText(step, witness.rate, row), style),
                packets: [packets, ...backward].map((text) => toPlain(text, style)),
            });
            if (unit !== undefined) {
                this.#judge.hear({ unit, lineNumber: this.#rows });
            }
        }
    }

    #fastColumns(step: Step): FastColumns {
        const { table, dates, durationScale: scale } = this.sink;
        const { columns } = this.#header;
        const { timestamp, flow_duration: duration, fwd_pkts: packets, src_ip: source, dst_ip: destination } = this.#columns;
        const address = ({ type }: ReadColumn): Made<AddressKey | undefined> => ({
            ofNull: undefined,
            make: (stored) => table.addressKey(textOfStored(stored, type)),
        });
        const slot: Made<number | RejectReason> = {
            ofNull: 'missing_field',
            make:
                timestamp.type.is === 'instant'
                    ? slotOfInstants(timestamp.type.unit, dates)
                    : (stored) => dates.slotOf(textOfStored(stored, timestamp.type)),
        };
        const whole = ({ type }: ReadColumn, ofNull: number, parse: NumberRule): Made<number> => ({
            ofNull,
            make: (stored) => wholeOf(stored, type, parse),
        });
        const watched = (made: Made<number>): Made<number> => {
            if (this.#header.dialect.isDurationWhole !== true) {
                return made;
            }
            const make = (stored: Parameters<typeof made.make>[0]): number => {
                this.#hasFractions ||= hasFraction(textOfStored(stored, duration.type));
                return made.make(stored);
            };
            return { ...made, make };
        };
        return {
            source: step.made(columns.src_ip, address(source)),
            destination: step.made(columns.dst_ip, address(destination)),
            slot: step.made(columns.timestamp, slot),
            duration: step.made(columns.flow_duration, watched(whole(duration, UNTIMED, { scale }))),
            packets: step.made(columns.fwd_pkts, whole(packets, NOT_FAST, { fraction: 'reject' })),
        };
    }
}

/** A number as text. What is stored as a number is in no style that groups digits: an exponent keeps its point from being taken for one of those. */
function numberText(step: Step, at: number, row: number): string {
    const text = step.text(at, row);
    return step.isText(at) || !/^[+-]?\d*\.\d*$/.test(text) ? text : `${text}e0`;
}

interface FastColumns {
    source: MadeColumn<AddressKey | undefined>;
    destination: MadeColumn<AddressKey | undefined>;
    slot: MadeColumn<number | RejectReason>;
    duration: MadeColumn<number>;
    packets: MadeColumn<number>;
}
