/** What answers look like, for the OpenAPI document, and how each parameter of a question is read. */
import { z } from '@hono/zod-openapi';
import { INSTANT_RULE, readInstant } from '#lake/instant';
import { isDeviceId } from '#lake/layout';
import { DEVICE_STATES } from '#lake/live/state-store';
import { ALERT_STATES, SEVERITIES } from './services.ts';

const ms = (meaning: string) => z.int().openapi({ description: `${meaning}, UTC epoch milliseconds` });
const exact = (meaning: string) => z.number().openapi({ description: `${meaning}. Exact: written with all its digits` });
const next = z.string().nullable().openapi({ description: 'Address of the next page, as in header Link; null on the last one' });

export const ProblemBody = z
    .object({
        type: z.string().openapi({ description: 'Which problem it is, for programs', example: 'urn:flowlake:problem:bad_parameter' }),
        title: z.string(),
        status: z.int(),
        detail: z.string().openapi({ description: 'What is wrong with this request, and what to do, for people' }),
        instance: z.string().optional().openapi({ description: 'Names this case in the server’s log' }),
        parameters: z.array(z.object({ in: z.enum(['query', 'path', 'header', 'body']), name: z.string(), detail: z.string() })).optional(),
    })
    .openapi('Problem', { description: 'Problem details, RFC 9457' });

/** Why a message of a request was not taken as the device's own. */
const REJECT_REASONS = ['too_large', 'refused', 'not_stored'] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

export const TakenBody = z
    .object({
        accepted: z.int().openapi({ description: 'Messages that are in the inbox durably' }),
        rejected: z.array(
            z.object({
                index: z.int().openapi({ description: 'Place of the message in the request, from 0' }),
                reason: z.enum(REJECT_REASONS).openapi({
                    description:
                        '`too_large`: it has more than 131,072 bytes. `refused`: it is kept, but put aside, as sending it again will be. `not_stored`: send it again',
                }),
                detail: z.string(),
            }),
        ),
    })
    .openapi('Taken');

const Counts = z
    .object({ online: z.int(), late: z.int(), silent: z.int(), unknown: z.int() })
    .openapi('Counts', { description: 'Devices by state' });

export const FleetBody = z
    .object({
        devices: Counts,
        groups: z.array(z.object({ profile: z.string(), site: z.string(), devices: Counts })),
        open_alerts: z.object({ info: z.int(), warning: z.int(), critical: z.int() }),
        unacknowledged: z.int().openapi({ description: 'Open alerts that nobody has acknowledged' }),
        pipeline_late: z.boolean().openapi({ description: 'True while messages wait too long before they are seen here' }),
    })
    .openapi('Fleet');

const MetricBody = z
    .object({
        value: exact('Null for a text').nullable(),
        text: z.string().nullable(),
        unit: z.string().nullable().openapi({ description: 'UCUM' }),
        at_ms: ms('When it was measured'),
        received_ms: ms('When its message arrived'),
        message: z.string().openapi({ description: 'Identity of its message' }),
        clock: z.enum(['device', 'arrival']),
    })
    .openapi('LatestMetric');

export const DeviceBody = z
    .object({
        device: z.string(),
        site: z.string(),
        profile: z.string(),
        state: z.enum(DEVICE_STATES),
        last_at_ms: ms('Newest measuring time').nullable(),
        last_received_ms: ms('Newest arrival').nullable(),
        due_ms: ms('When the next message is due').nullable(),
        silent_ms: ms('From when on the device is silent').nullable(),
        open_alerts: z.int(),
        refused: z.int().openapi({ description: 'Messages that came as this device’s and were put aside' }),
        rejected: z.int().openapi({ description: 'Messages that had no reading' }),
        last_rejected: z
            .object({ received_ms: ms('Arrival'), reason: z.string(), why: z.string() })
            .nullable()
            .openapi({ description: 'Why the last of them had none' }),
        metrics: z.record(z.string(), MetricBody),
    })
    .openapi('Device');

export const DevicesBody = z.object({ devices: z.array(DeviceBody), next }).openapi('Devices');

const ReadingBody = z
    .object({
        site: z.string(),
        device: z.string(),
        metric: z.string(),
        at_ms: ms('When it was measured'),
        value: exact('Null for a text').nullable(),
        text: z.string().nullable(),
        clock: z.enum(['device', 'arrival']),
        received_ms: ms('When it first arrived'),
        message: z.string(),
        copies: z.int().openapi({ description: 'How often it came' }),
    })
    .openapi('Reading');

const StepBody = z
    .object({
        site: z.string(),
        device: z.string(),
        metric: z.string(),
        from_ms: ms('Beginning of the step'),
        n: z.int().openapi({ description: 'Readings in it' }),
        min: exact('Null where all are texts').nullable(),
        max: exact('Null where all are texts').nullable(),
        mean: z.number().nullable().openapi({ description: 'A double: the one figure that is not exact' }),
    })
    .openapi('Step');

export const ReadingsBody = z
    .union([z.object({ readings: z.array(ReadingBody), next }), z.object({ steps: z.array(StepBody), next })])
    .openapi('Readings', { description: '`steps` where `every` was asked for, else `readings`' });

const EpisodeBody = z
    .object({
        id: z.string(),
        site: z.string(),
        device: z.string(),
        profile: z.string(),
        rule: z.string(),
        kind: z.enum(['alert', 'silent']),
        severity: z.enum(SEVERITIES),
        began_ms: ms('Beginning'),
        ended_ms: ms('End; null while it is open').nullable(),
        worst: exact('Value furthest beyond the bound').nullable(),
        readings: z.int(),
        why: z.string(),
        raised_ms: ms('When it was raised; null where only history has it').nullable(),
    })
    .openapi('Episode');

export const AlertBody = z
    .object({
        ...EpisodeBody.shape,
        acknowledged: z.object({ at_ms: ms('When'), by: z.string(), note: z.string() }).nullable(),
        history: z.enum(['pending', 'confirmed', 'changed', 'gone', 'added']).openapi({
            description:
                'What the readings of the lake say of it, once they are there: late data may change it or take it away; `added` is one that was not raised live',
        }),
        in_history: EpisodeBody.nullable().openapi({ description: 'As the lake has it, where that differs' }),
    })
    .openapi('Alert');

export const AlertsBody = z.object({ alerts: z.array(AlertBody), next }).openapi('Alerts');

export const NoteBody = z.strictObject({
    note: z
        .string({ error: 'Say in a sentence what is done about it.' })
        .max(1000, 'At most 1,000 characters.')
        .openapi({ example: 'fan replaced' }),
});

export const TicketBody = z.object({ ticket: z.string(), expires_ms: ms('Until when it opens GET /v1/live') }).openapi('Ticket');

export const HealthBody = z
    .object({ status: z.enum(['ok', 'pipeline_late', 'not_taking']) })
    .openapi('Health', { description: '`pipeline_late`: what is shown is old. `not_taking`: messages cannot be stored' });

export const EVENT_KINDS = ['latest', 'raised', 'cleared', 'acknowledged', 'judged', 'pipeline_late', 'pipeline_on_time'] as const;

/** The data of an event by its kind, as one line of JSON. */
export const EventBody = z
    .union([
        z.object({
            kind: z.literal('latest'),
            device: z.string(),
            site: z.string(),
            profile: z.string(),
            received_ms: ms('Arrival'),
            metrics: z.record(z.string(), MetricBody),
        }),
        z.object({ kind: z.enum(['raised', 'cleared']), alert: EpisodeBody }),
        z.object({ kind: z.enum(['acknowledged', 'judged']), alert: AlertBody }),
        z.object({
            kind: z.enum(['pipeline_late', 'pipeline_on_time']),
            since_ms: ms('Since when what is shown stood still'),
            why: z.string(),
        }),
        z.object({ kind: z.enum(['ready', 'reset']) }),
    ])
    .openapi('Event', { description: 'What stands in `data:` of a server-sent event' });

/** A text parameter. An empty one is a slip: `?site=`. */
const text = (description: string, example: string) =>
    z
        .string('Give it once.')
        .min(1, 'It is empty: say something, or leave it out.')
        .max(512, 'It is too long: 512 characters at most.')
        .openapi({ description, example })
        .optional();

const choice = <const C extends readonly [string, ...string[]]>(choices: C, description: string) =>
    z
        .enum(choices, `Expected ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}.`)
        .openapi({ description })
        .optional();

const MAX_LIMIT = 1000;

const limit = (what: string) =>
    z
        .string(`Expected a whole number from 1 to ${MAX_LIMIT}.`)
        .regex(/^(?:[1-9]\d{0,2}|1000)$/, `Expected a whole number from 1 to ${MAX_LIMIT}.`)
        .default('100')
        .transform(Number)
        .openapi({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: 100, description: `How many ${what} a page has at most` });

const after = text('Where the page begins: from the link `next` of the page before', 'WyJkZXZpY2VzIiwidGgtNyJd');

const instant = (description: string, options: { isEnd?: boolean } = {}) =>
    z
        .string('Give it once.')
        .transform((given, { addIssue }) => {
            const found = readInstant(given, options);
            if (found === undefined) {
                addIssue({ code: 'custom', message: INSTANT_RULE });
                return z.NEVER;
            }
            return Date.parse(found);
        })
        .openapi({ type: 'string', description, example: '2026-01-05T13:30Z' })
        .optional();

/** A question without parameters. */
export const NoQuery = z.strictObject({});

export const DevicesQuery = z.strictObject({
    state: choice(DEVICE_STATES, 'Only devices in this state'),
    profile: text('Only devices of this profile', 'thermostat'),
    site: text('Only devices of this site', 'main'),
    prefix: text('Only devices whose id begins so', 'th-'),
    after,
    limit: limit('devices'),
});

/** The steps of `every`, as `flowlake readings --every` has them. */
const EVERY = ['1m', '5m', '15m', '1h', '6h', '1d'] as const;

export const ReadingsQuery = z.strictObject({
    metric: text('Only this metric', 'temperature'),
    site: text('Only this site’s device: two sites may have had one id', 'main'),
    from: instant('First time that counts, UTC, or a day'),
    to: instant('Time before which readings count, UTC; of a day its end', { isEnd: true }),
    every: choice(EVERY, 'Steps of time with smallest, largest and mean value in place of readings; needs `from`'),
    after,
    limit: limit('readings, or steps of time,'),
});

export const AlertsQuery = z.strictObject({
    state: choice(ALERT_STATES, '`open`: not ended. `unacknowledged`: open, and nobody has acknowledged it. `acknowledged`: ended or not'),
    device: text('Only alerts of this device', 'th-7'),
    rule: text('Only alerts of this rule', 'hot'),
    severity: choice(SEVERITIES, 'Only alerts of this severity'),
    after,
    limit: limit('alerts'),
});

/** Ids of events. */
export const LAST_EVENT_ID = /^\d{1,19}$/;

export const LiveQuery = z.strictObject({
    after: z
        .string('Give it once.')
        .regex(LAST_EVENT_ID, 'Expected the id of an event, in digits.')
        .openapi({ description: 'Id of the last event that is known; header Last-Event-ID says the same', example: '4711' })
        .optional(),
    device: text('Only events of this device', 'th-7'),
    kind: text('Only events of these kinds, with commas between', 'raised,cleared'),
    ticket: text('In place of a token, for programs that cannot send headers', 'WzE3Njc2MDcy...'),
});

const NO_DEVICE = 'A device id has letters, digits, dot, dash, underscore and colon, begins with a letter or digit, and has 128 at most.';

export const DevicePath = z.object({
    id: z.string().refine(isDeviceId, NO_DEVICE).openapi({ description: 'Id of the device', example: 'th-7' }),
});

export const AlertPath = z.object({
    id: z
        .string()
        .max(512, 'An alert’s id has 512 characters at most.')
        .openapi({ description: 'Id of the alert, percent-encoded', example: 'th-7~hot~1767607200000' }),
});

export const TelemetryQuery = z.strictObject({
    topic: z
        .string('Give it once.')
        .max(256, 'A topic has 256 characters at most.')
        .regex(/^[^+#\0]+$/u, 'A topic is not empty, and has no +, # or NUL.')
        .openapi({ description: 'Topic of the messages, for profiles that read it', example: 'plant/th-7/telemetry' })
        .optional(),
});

/** A text that is no JSON. */
export const textSchema = (description: string) => z.string().openapi({ description });
