/** SenML (RFC 8428): resolves the base values of a pack, so that each record says name, time, unit and value by itself. */
import type { Problem } from '../../reading.ts';
import { add, parseDecimal, type Ratio, ZERO } from '../decimal.ts';
import { forEachElement } from '../elements.ts';
import { ARRAY, FALSE, type Field, FieldTree, NUMBER, TEXT, TRUE } from '../fields.ts';
import { JsonScanner, UnreadableError } from '../json-scanner.ts';
import { decodeText } from '../texts.ts';
import { tokenOf } from '../tokens.ts';

/** Names of fields in JSON, each with its label in CBOR. */
const LABELS = {
    bn: '-2',
    bt: '-3',
    bu: '-4',
    bv: '-5',
    bs: '-6',
    bver: '-1',
    n: '0',
    u: '1',
    v: '2',
    vs: '3',
    vb: '4',
    s: '5',
    t: '6',
    ut: '7',
    vd: '8',
} as const;

/** What must be of its kind wherever it stands. */
const TEXTS = ['bn', 'bu', 'n', 'u', 'vs', 'vd'] as const;
const NUMBERS = ['bt', 'bv', 'bs', 'v', 's', 't', 'ut'] as const;

/** The newest version of SenML that is understood. */
const VERSION = 10n;
/** Times below 2^28 seconds count from the moment of sending (RFC 8428, 4.5.3). */
const RELATIVE_BELOW = 2n ** 28n;

const BRACE = '{'.charCodeAt(0);

/** Makes a reader of packs: JSON in, JSON out, a list of records with name, unit, time and what they hold. */
export function openSenml(
    form: 'json' | 'cbor',
): (json: Uint8Array, arrivedMs: number | undefined) => { json: string; problems: Problem[] } {
    const listTree = new FieldTree();
    listTree.root.isNamed = true;
    listTree.root.isElsewhere = true;
    const list = new JsonScanner(listTree);
    return (bytes, arrivedMs) => {
        list.read(bytes, 0, bytes.length);
        const { root } = listTree;
        if (root.type !== ARRAY) {
            throw new UnreadableError('it is no list of SenML records');
        }
        const pack = new Pack(form, arrivedMs);
        forEachElement(bytes, root.start, root.end, (start, end) => {
            if (bytes[start] === BRACE) {
                pack.add(bytes, start, end);
            } else {
                pack.problems.push({ reason: 'no_reading', why: 'not a reading: an element of the pack is no record' });
            }
        });
        return { json: `[${pack.records.join(',')}]`, problems: pack.problems };
    };
}

/** A pack while it is read: what `bn`, `bt`, `bu`, `bv` and `bs` say holds until another record says otherwise. */
class Pack {
    readonly records: string[] = [];
    readonly problems: Problem[] = [];
    readonly #fields: Readonly<Record<keyof typeof LABELS, Field>>;
    readonly #scanner: JsonScanner;
    readonly #nowSeconds: Ratio | undefined;
    #baseName = '';
    #baseUnit: string | undefined;
    #baseTime: Ratio = ZERO;
    #baseValue: Ratio = ZERO;
    #baseSum: Ratio = ZERO;

    constructor(form: 'json' | 'cbor', arrivedMs: number | undefined) {
        const tree = new FieldTree();
        this.#scanner = new JsonScanner(tree);
        const field = (name: keyof typeof LABELS) => tree.at([form === 'json' ? name : LABELS[name]]);
        this.#fields = Object.fromEntries(Object.keys(LABELS).map((name) => [name, field(name as keyof typeof LABELS)])) as Record<
            keyof typeof LABELS,
            Field
        >;
        tree.isCompiling = false;
        this.#nowSeconds = arrivedMs === undefined ? undefined : { num: BigInt(arrivedMs), den: 1000n };
    }

    add(bytes: Uint8Array, start: number, end: number): void {
        this.#scanner.read(bytes, start, end);
        const mandatory = this.#scanner.unknown.find((key) => key.endsWith('_'));
        if (mandatory !== undefined) {
            throw new UnreadableError(`a record has the field "${mandatory}", which must be understood and is not known (RFC 8428, 4.4)`);
        }
        const version = this.#number('bver');
        if (version !== undefined && version.num > VERSION * version.den) {
            throw new UnreadableError(
                `it is of version ${tokenOf(this.#fields.bver).text} of SenML, and no later one than ${VERSION} is understood`,
            );
        }
        for (const name of TEXTS) {
            this.#text(name);
        }
        for (const name of NUMBERS) {
            this.#number(name);
        }
        this.#baseName = this.#text('bn') ?? this.#baseName;
        this.#baseUnit = this.#text('bu') ?? this.#baseUnit;
        this.#baseTime = this.#number('bt') ?? this.#baseTime;
        this.#baseValue = this.#number('bv') ?? this.#baseValue;
        this.#baseSum = this.#number('bs') ?? this.#baseSum;
        this.#addRecord();
    }

    #addRecord(): void {
        const name = this.#baseName + (this.#text('n') ?? '');
        const members: [string, string][] = [];
        const { v, s, vb, vs, vd } = this.#fields;
        if (this.#has(v)) {
            members.push(['value', this.#sum('v', this.#baseValue)]);
        }
        if (this.#has(vb)) {
            if (vb.type !== TRUE && vb.type !== FALSE) {
                throw new UnreadableError('a record\'s "vb" is neither true nor false');
            }
            members.push(['boolean', String(vb.type === TRUE)]);
        }
        if (this.#has(vs)) {
            members.push(['text', JSON.stringify(this.#text('vs'))]);
        }
        if (this.#has(vd)) {
            members.push(['data', JSON.stringify(this.#text('vd'))]);
        }
        if (this.#has(s)) {
            members.push(['sum', this.#sum('s', this.#baseSum)]);
        }
        if (members.length === 0) {
            // A record of base values alone sets the scene for the next ones.
            if (this.#text('n') !== undefined) {
                this.problems.push({ reason: 'no_value', why: `record "${name}" has no value` });
            }
            return;
        }
        const time = this.#time();
        const unit = this.#text('u') ?? this.#baseUnit;
        const fields: [string, string][] = [
            ['name', JSON.stringify(name)],
            ...(unit === undefined ? [] : ([['unit', JSON.stringify(unit)]] as [string, string][])),
            ...(time === undefined ? [] : ([['time', time]] as [string, string][])),
            ...members,
        ];
        this.records.push(`{${fields.map(([key, value]) => `"${key}":${value}`).join(',')}}`);
    }

    /** Seconds since 1970; undefined where they count from a moment that is not known. */
    #time(): string | undefined {
        const time = add(this.#baseTime, this.#number('t') ?? ZERO);
        if (time.num >= RELATIVE_BELOW * time.den) {
            return decimalText(time);
        }
        return this.#nowSeconds === undefined ? undefined : decimalText(add(this.#nowSeconds, time));
    }

    /** A value with its base added; as it was sent where there is none. */
    #sum(name: 'v' | 's', base: Ratio): string {
        const value = this.#number(name);
        return base.num === 0n || value === undefined ? raw(this.#fields[name]) : decimalText(add(base, value));
    }

    #has(field: Field): boolean {
        return field.scan === this.#scanner.scan;
    }

    #text(name: keyof typeof LABELS): string | undefined {
        const field = this.#fields[name];
        if (!this.#has(field)) {
            return undefined;
        }
        const { type, text } = tokenOf(field);
        if (type !== TEXT) {
            throw new UnreadableError(`a record's "${name}" is no text`);
        }
        return text;
    }

    #number(name: keyof typeof LABELS): Ratio | undefined {
        const field = this.#fields[name];
        if (!this.#has(field)) {
            return undefined;
        }
        const number = field.type === NUMBER ? parseDecimal(tokenOf(field).text) : undefined;
        if (number === undefined) {
            throw new UnreadableError(`a record's "${name}" is no number`);
        }
        return number;
    }
}

/** The number as it was sent. */
function raw(field: Field): string {
    return decodeText(field.bytes, field.start, field.end, false);
}

/** Exact text of a ratio whose denominator is a power of ten. */
function decimalText({ num, den }: Ratio): string {
    return `${num}e-${den.toString().length - 1}`;
}
