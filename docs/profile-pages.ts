/** The pages about profiles that are computed: every word, by the schema, and the metrics of every preset. */
import { PRESETS } from '#lake/telemetry/presets';
import { PROFILE_SCHEMA } from '#lake/telemetry/profile/check';
import type { MetricWords, ProfileDocument } from '#lake/telemetry/profile/document';
import { parseProfile } from '#lake/telemetry/profile/profile';

/** What the pages read of a JSON Schema. */
interface Words {
    description?: string;
    examples?: unknown[];
    enum?: unknown[];
    type?: string | string[];
    properties?: Record<string, Words>;
    required?: string[];
    $ref?: string;
    $defs?: Record<string, Words>;
    [word: string]: unknown;
}

/** Groups of words, in the order of the page: a title, and where its words stand in the schema. */
const GROUPS: readonly [title: string, intro: string, of: (schema: Words) => Words | undefined][] = [
    ['A profile', 'Words of the whole document.', (schema) => schema],
    ['A metric', 'Words of an entry of `metrics`.', ({ $defs }) => $defs?.metric],
    [
        'A source',
        'Words that say where a value stands. In a metric’s `from` a source may also have `unit`, converted to that of the metric.',
        ({ $defs }) => $defs?.source,
    ],
    [
        'A condition',
        'Words of `only`, `unless` (with `why`), `notReadings` (with `why`) and `historical`, besides those of a source.',
        ({ $defs }) => $defs?.condition,
    ],
    ['A time', 'Words of an entry of `time`, besides those of a source.', ({ $defs }) => $defs?.time],
    ['A number in bytes', 'Words of `bytes`.', ({ $defs }) => $defs?.bytes],
    ['A text to unpack', 'Words of an entry of `unpack`.', (schema) => schema.properties?.unpack?.items as Words | undefined],
    ['A sentinel', 'Words of an entry of `sentinels`.', ({ $defs }) => $defs?.sentinel],
    ['A suspect', 'Words of an entry of `suspects`.', ({ $defs }) => $defs?.suspect],
    ['An alert', 'Words of an entry of `alerts`.', ({ $defs }) => $defs?.alert],
    ['A fence', 'Words of `outside`.', ({ $defs }) => $defs?.alert?.properties?.outside],
    ['A clock', 'Words of `clock`.', (schema) => schema.properties?.clock],
];

/** The page of every word. */
export function describeWords(): string {
    const schema = PROFILE_SCHEMA as Words;
    const ofSource = new Set(Object.keys(schema.$defs?.source?.properties ?? {}));
    const parts = GROUPS.map(([title, intro, of]) => {
        const words = of(schema);
        const required = new Set(words?.required ?? []);
        const isBesides = title === 'A condition' || title === 'A time';
        const rows = Object.entries(words?.properties ?? {})
            .filter(([word]) => word !== '$schema' && !(isBesides && ofSource.has(word)))
            .map(([word, property]) => {
                const meaning = resolve(property, schema);
                const example = meaning.examples?.[0] ?? meaning.enum?.[0];
                return [
                    `\`${word}\``,
                    required.has(word) ? 'yes' : '',
                    `${meaning.description ?? ''}${meaning.enum === undefined ? '' : `: ${meaning.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ')}`}`,
                    example === undefined ? '' : `\`${JSON.stringify(example)}\``,
                ];
            });
        return `## ${title}\n\n${intro}\n\n${table(['word', 'needed', 'meaning', 'example'], rows)}`;
    });
    return `# Words of profiles\n\nThe language is taught in [profiles.md](profiles.md); here is each of its words.\n\n${parts.join('\n\n')}\n`;
}

function resolve(words: Words, { $defs }: Words): Words {
    const name = words.$ref?.replace('#/$defs/', '');
    return name === undefined ? words : { ...$defs?.[name], ...words };
}

/** The page of all presets. */
export function describePresets(): string {
    const parts = [...PRESETS.values()].map((preset) => describePreset(parseProfile(preset).document));
    const intro =
        'Profiles that come with flowlake. `flowlake profile show <name> > mine.json` prints one, to be changed and added under a name of your own;\n' +
        'the language is taught in [profiles.md](profiles.md).';
    return `# Presets\n\n${intro}\n\n${parts.join('\n\n')}\n`;
}

function describePreset({ name, description, metrics, ...others }: ProfileDocument): string {
    const rows = metrics.map((metric) => [
        `\`${metric.name}\``,
        placeOf(metric),
        metric.notReading === undefined ? (metric.kind ?? 'number') : 'no reading',
        metric.unit === undefined ? '' : `\`${metric.unit}\``,
        metric.digits === undefined ? '' : String(metric.digits),
        metric.min === undefined && metric.max === undefined ? '' : `${metric.min ?? ''} to ${metric.max ?? ''}`,
        notesOf(metric),
    ]);
    const words = Object.entries(others).map(([word, value]) => `- \`${word}\`: \`${JSON.stringify(value)}\``);
    return `## ${name}\n\n${description ?? ''}\n\n${words.join('\n')}\n\n${table(['metric', 'from', 'kind', 'unit', 'digits', 'limits', 'notes'], rows)}`;
}

function placeOf({ path, from }: MetricWords): string {
    const paths =
        path === undefined ? (from === undefined ? [] : [from].flat()).map((source) => source.path ?? source.header ?? '') : [path];
    return paths.map((place) => `\`${typeof place === 'string' ? place : JSON.stringify(place)}\``).join(', ');
}

function notesOf({
    sentinels = [],
    suspects = [],
    unless,
    only,
    unitFrom,
    words,
    scale,
    offset,
    notReading,
    statistics,
}: MetricWords): string {
    const json = (word: string, value: unknown) => (value === undefined ? [] : [`${word} \`${JSON.stringify(value)}\``]);
    return [
        ...sentinels.map(({ is, means }) => `${is}: ${means}`),
        ...suspects.map(({ is, means }) => `${is}: perhaps ${means}`),
        ...(unless === undefined ? [] : [unless].flat().map(({ why }) => `not if ${why}`)),
        ...json('only', only),
        ...json('unit by', unitFrom),
        ...json('words', words),
        ...json('scale', scale),
        ...json('offset', offset),
        ...(notReading === undefined ? [] : [notReading]),
        ...(statistics === false ? ['no hourly figures'] : []),
    ].join('; ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
    return [head, head.map(() => '---'), ...rows.map((cells) => cells.map((cell) => cell.replaceAll('|', '\\|')))]
        .map((cells) => `| ${cells.join(' | ')} |`)
        .join('\n');
}
