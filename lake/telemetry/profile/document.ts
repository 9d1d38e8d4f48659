/** A profile document: the words of docs/profiles.md, as profile.schema.json has checked them. */

/** A number of a profile: as JSON number, or as text where it has more digits than JavaScript's numbers keep. */
export type Num = number | string;

/** Keys from the payload's root on: cut at dots, or one key an entry where keys hold dots. */
export type PathWord = string | readonly string[];

/** Place of a value, and what is done with it before it is used. One of the first five words says where. */
export interface SourceWords {
    path?: PathWord;
    header?: string;
    from?: 'topic' | 'certificate' | 'key' | 'payload';
    text?: string;
    /** True: `path` begins at the payload's root, although `each` cuts it into messages. */
    outer?: boolean;
    only?: ConditionList;
    split?: string;
    part?: number;
    extract?: string;
    upToLast?: string;
    beforeLast?: string;
    afterLast?: string;
    bytes?: BytesWords;
    map?: Readonly<Record<string, string | number | boolean>>;
    case?: 'lower' | 'upper';
    absent?: string | number;
}

/** A number in binary data. */
export interface BytesWords {
    encoding: 'hex' | 'base64' | 'number' | 'registers';
    at?: number;
    length: number;
    as: 'unsigned' | 'signed' | 'float';
    little?: boolean;
    /** True: the low word of 16 bits comes first. */
    swap?: boolean;
    bits?: readonly number[];
}

export interface ConditionWords extends SourceWords {
    topic?: string;
    retained?: boolean;
    is?: Literal | readonly Literal[];
    isNot?: Literal | readonly Literal[];
    present?: boolean;
    type?: ValueType;
    above?: Num;
    below?: Num;
    like?: string;
}

export type ValueType = 'number' | 'text' | 'yes/no' | 'null' | 'object' | 'list';
export type Literal = string | number | boolean | null;
export type ConditionList = ConditionWords | readonly ConditionWords[];

export interface TimeWords extends SourceWords {
    unit?: 's' | 'ms' | 'us' | 'ns' | 'ISO';
    format?: string;
    zone?: string;
    epoch?: string;
    ago?: boolean;
    plus?: SourceWords & { unit: 's' | 'ms' | 'us' | 'ns' };
}

export type TimeChoice = TimeWords | 'arrival';

export interface MetricSourceWords extends SourceWords {
    unit?: string;
}

export interface SentinelWords {
    is: Num;
    means: string;
    /** True of a suspect whose reading stands: the doubt is told. */
    keep?: boolean;
}

export interface MetricWords {
    name: string;
    path?: PathWord;
    from?: MetricSourceWords | readonly MetricSourceWords[];
    let?: Readonly<Record<string, SourceWords | readonly SourceWords[]>>;
    kind?: 'number' | 'text' | 'yes/no';
    unit?: string;
    unitFrom?: SourceWords & { units?: Readonly<Record<string, string>> };
    digits?: number;
    statistics?: boolean;
    scale?: Num | SourceWords;
    scalePower?: SourceWords;
    offset?: Num | SourceWords;
    decimalComma?: boolean;
    suffix?: string;
    bit?: number;
    min?: Num;
    max?: Num;
    sentinels?: readonly SentinelWords[];
    suspects?: readonly SentinelWords[];
    words?: Readonly<Record<string, string | number | boolean>>;
    absent?: Num | boolean;
    absentMeans?: string;
    nullMeans?: string;
    only?: ConditionList;
    unless?: ReasonWords | readonly ReasonWords[];
    show?: PathWord;
    time?: TimeChoice | readonly TimeChoice[];
    historical?: ConditionList;
    notReading?: string;
}

/** A condition and what it means where it holds. */
export interface ReasonWords extends ConditionWords {
    why: string;
}

export interface NotReadingWords extends ConditionWords {
    when?: readonly ConditionWords[];
    why: string;
    show?: PathWord;
}

export type AlertWords = {
    rule: string;
    severity: 'info' | 'warning' | 'critical';
    message: string;
    metric?: string;
    above?: { raise: Num; clear: Num };
    below?: { raise: Num; clear: Num };
    holdFor?: string;
    missingFor?: string;
    silentFor?: string;
    outside?: { latitude: Num; longitude: Num; radiusM: number; backM: number; latitudeMetric?: string; longitudeMetric?: string };
};

/** A text that holds a payload of its own. */
export interface UnpackWords {
    path: PathWord;
    as: 'json' | 'base64' | 'form';
    only?: ConditionList;
}

export interface ProfileDocument {
    name: string;
    description?: string;
    decoder?: 'json' | 'text' | 'cbor' | 'senml' | 'senml-cbor' | 'sparkplug-b';
    topics?: readonly string[];
    each?: string | readonly string[];
    unpack?: readonly UnpackWords[];
    let?: Readonly<Record<string, SourceWords | readonly SourceWords[]>>;
    device: SourceWords | readonly SourceWords[];
    time: TimeChoice | readonly TimeChoice[];
    identity?: readonly SourceWords[];
    notReadings?: readonly NotReadingWords[];
    retained?: 'skip' | 'read';
    emptyMeans?: string;
    metrics: readonly MetricWords[];
    ignore?: readonly PathWord[];
    clock?: { earliest?: string; ahead?: string };
    dueEvery?: string;
    grace?: string;
    gapLimit?: string;
    wide?: boolean;
    alerts?: readonly AlertWords[];
}
