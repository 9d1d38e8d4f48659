/** Packs of SenML as lists of records that say all by themselves: RFC 8428, 4. */
import { type Fraction, fractionOf, plus, ZERO } from '../fractions.ts';
import { type JsonObject, NoJsonError, type Tree } from '../json-tree.ts';
import type { Decoded } from './decoded.ts';

/** What the fields hold, with their labels in CBOR: RFC 8428, table 4. */
const FIELDS = {
    bver: { label: '-1', type: 'number' },
    bn: { label: '-2', type: 'text' },
    bt: { label: '-3', type: 'number' },
    bu: { label: '-4', type: 'text' },
    bv: { label: '-5', type: 'number' },
    bs: { label: '-6', type: 'number' },
    n: { label: '0', type: 'text' },
    u: { label: '1', type: 'text' },
    v: { label: '2', type: 'number' },
    vs: { label: '3', type: 'text' },
    vb: { label: '4', type: 'yes/no' },
    s: { label: '5', type: 'number' },
    t: { label: '6', type: 'number' },
    ut: { label: '7', type: 'number' },
    vd: { label: '8', type: 'text' },
} as const;

type Name = keyof typeof FIELDS;
type Record_ = ReadonlyMap<Name, string>;

const NAMES = Object.keys(FIELDS) as Name[];
const BASES: readonly Name[] = ['bn', 'bt', 'bu', 'bv', 'bs'];
const VERSION = 10n;
/** Seconds; a smaller time is counted from the arrival: RFC 8428, 4.5.3. */
const ABSOLUTE = 2n ** 28n;

/** @throws NoJsonError for what is no pack, or asks for what is not known */
export function recordsOfPack(pack: Tree, { isCbor, arrivedMs }: { isCbor: boolean; arrivedMs: number | undefined }): Decoded {
    if (pack.type !== 'list') {
        throw new NoJsonError('no list of records');
    }
    const base = new Map<Name, string>();
    const made: Decoded = { json: '', problems: [] };
    const records: string[] = [];
    for (const item of pack.items) {
        if (item.type !== 'object') {
            made.problems.push({ reason: 'no_reading' });
            continue;
        }
        const record = fieldsOf(item, isCbor);
        for (const name of BASES.filter((one) => record.has(one))) {
            base.set(name, record.get(name) ?? '');
        }
        const text = resolved(record, { base, arrivedMs });
        if (text !== undefined) {
            records.push(text);
        } else if (record.has('n')) {
            made.problems.push({ reason: 'no_value' });
        }
    }
    return { ...made, json: `[${records.join(',')}]` };
}

/** The known fields: texts as they are, numbers as they were written. */
function fieldsOf({ members, fault }: JsonObject, isCbor: boolean): Record_ {
    if (fault !== undefined) {
        throw new NoJsonError(fault);
    }
    if ([...members.keys()].some((key) => key.endsWith('_'))) {
        throw new NoJsonError('a field that must be understood');
    }
    const fields = new Map<Name, string>();
    for (const name of NAMES) {
        const { label, type } = FIELDS[name];
        const value = members.get(isCbor ? label : name);
        if (value === undefined) {
            continue;
        }
        if (value.type !== type) {
            throw new NoJsonError(`"${name}" is no ${type}`);
        }
        fields.set(name, value.type === 'yes/no' ? String(value.value) : (value as { text: string }).text);
    }
    const version = fractionOf(fields.get('bver') ?? '0') ?? ZERO;
    if (version.over > VERSION * version.under) {
        throw new NoJsonError('a later version');
    }
    return fields;
}

/** The record with what its pack says of it; undefined where it has no value. */
function resolved(record: Record_, { base, arrivedMs }: { base: Record_; arrivedMs: number | undefined }): string | undefined {
    const numberOf = (fields: Record_, name: Name): Fraction => fractionOf(fields.get(name) ?? '0') ?? ZERO;
    /** A number with its base added; as it was written where there is none. */
    const summed = (name: 'v' | 's', ofBase: 'bv' | 'bs'): string | undefined => {
        const [written, added] = [record.get(name), numberOf(base, ofBase)];
        return written === undefined || added.over === 0n ? written : decimal(plus(added, numberOf(record, name)));
    };
    const texts = (name: Name): string | undefined => {
        const text = record.get(name);
        return text === undefined ? undefined : JSON.stringify(text);
    };
    const values: [string, string | undefined][] = [
        ['value', summed('v', 'bv')],
        ['boolean', record.get('vb')],
        ['text', texts('vs')],
        ['data', texts('vd')],
        ['sum', summed('s', 'bs')],
    ];
    if (values.every(([, value]) => value === undefined)) {
        return undefined;
    }
    const seconds = plus(numberOf(base, 'bt'), numberOf(record, 't'));
    const isAbsolute = seconds.over >= ABSOLUTE * seconds.under;
    const since = arrivedMs === undefined ? undefined : plus(seconds, { over: BigInt(arrivedMs), under: 1000n });
    const time = isAbsolute ? seconds : since;
    const unit = record.get('u') ?? base.get('bu');
    const fields: [string, string | undefined][] = [
        ['name', JSON.stringify(`${base.get('bn') ?? ''}${record.get('n') ?? ''}`)],
        ['unit', unit === undefined ? undefined : JSON.stringify(unit)],
        ['time', time && decimal(time)],
        ...values,
    ];
    return `{${fields.flatMap(([name, value]) => (value === undefined ? [] : [`"${name}":${value}`])).join(',')}}`;
}

/** A fraction over a power of ten, as JSON writes numbers. */
function decimal({ over, under }: Fraction): string {
    return `${over}e-${String(under).length - 1}`;
}
