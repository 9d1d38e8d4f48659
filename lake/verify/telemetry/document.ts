/** A profile's document as the second reading takes it: docs/profile-words.md has its words. The lake holds none that is not whole. */
import { NotFollowedError } from '#lake/verify/second-reading';
import { givesRecords } from './decoders/decoded.ts';

export type Path = string | readonly string[];
export type Some<T> = T | readonly T[];

export interface Source {
    path?: Path;
    header?: string;
    from?: 'topic' | 'certificate' | 'key' | 'payload';
    text?: string;
    outer?: boolean;
    only?: Some<Condition>;
    split?: string;
    part?: number;
    extract?: string;
    beforeLast?: string;
    upToLast?: string;
    afterLast?: string;
    bytes?: {
        encoding: 'hex' | 'base64' | 'number' | 'registers';
        at?: number;
        length: number;
        as: 'unsigned' | 'signed' | 'float';
        little?: boolean;
        swap?: boolean;
        bits?: [number, number];
    };
    case?: 'lower' | 'upper';
    map?: Readonly<Record<string, string | number | boolean>>;
    absent?: string | number;
}

type Value = string | number | boolean | null;

export interface Condition extends Source {
    topic?: string;
    retained?: boolean;
    is?: Some<Value>;
    isNot?: Some<Value>;
    present?: boolean;
    type?: string;
    above?: number | string;
    below?: number | string;
    like?: string;
}

export interface Reason extends Condition {
    when?: readonly Condition[];
    show?: Path;
}

export interface Time extends Source {
    unit?: string;
    format?: string;
    zone?: string;
    epoch?: string;
    ago?: boolean;
    plus?: Source & { unit?: string };
}

export type Times = Some<Time | 'arrival'>;

export type Lets = Readonly<Record<string, Some<Source>>>;

export interface Metric {
    name: string;
    path?: Path;
    from?: Some<Source & { unit?: string }>;
    let?: Lets;
    kind?: 'number' | 'text' | 'yes/no';
    unit?: string;
    unitFrom?: Source & { units?: Readonly<Record<string, string>> };
    digits?: number;
    statistics?: boolean;
    scale?: number | string | Source;
    scalePower?: Source;
    offset?: number | string | Source;
    decimalComma?: boolean;
    suffix?: string;
    bit?: number;
    min?: number | string;
    max?: number | string;
    sentinels?: readonly { is: number | string }[];
    suspects?: readonly { is: number | string; keep?: boolean }[];
    words?: Readonly<Record<string, string | number | boolean>>;
    absent?: number | string | boolean;
    absentMeans?: string;
    nullMeans?: string;
    only?: Some<Condition>;
    unless?: Some<Reason>;
    show?: Path;
    time?: Times;
    historical?: Some<Condition>;
    notReading?: string;
}

export interface ProfileDocument {
    name: string;
    decoder?: string;
    topics?: readonly string[];
    each?: Some<string>;
    unpack?: readonly { path: Path; as: 'json' | 'base64' | 'form'; only?: Some<Condition> }[];
    let?: Lets;
    device: Some<Source>;
    time: Times;
    identity?: readonly Source[];
    notReadings?: readonly Reason[];
    retained?: 'skip' | 'read';
    metrics: readonly Metric[];
    ignore?: readonly Path[];
    clock?: { earliest?: string; ahead?: string };
}

/** @throws NotFollowedError for a profile that this reading does not follow */
export function documentOf(document: unknown): ProfileDocument {
    const said = document as ProfileDocument;
    const profile = givesRecords(said.decoder) ? { ...said, each: said.each ?? '[]' } : said;
    if (listed(profile.each).some((path) => path.includes('[][]'))) {
        throw new NotFollowedError(`its profile ${profile.name} cuts lists of lists, which the second reading does not follow`);
    }
    return profile;
}

export function listed<T>(some: Some<T> | undefined): readonly T[] {
    return some === undefined ? [] : Array.isArray(some) ? some : [some as T];
}
