/** Reads messages by a profile that a test writes down, and shows what came of them in short. */

import { formatUnits } from '#lake/rows';
import type { Message } from '#lake/telemetry/message';
import { parseProfile } from '#lake/telemetry/profile/profile';
import type { MessageReader } from '#lake/telemetry/profile/reader';

export const ARRIVED = '2026-01-05T10:00:02.000Z';

/** A profile of one metric, `t` at key `t`, in hundredths; its device is `d`, its time that of the arrival. */
export function profileOf(words: object = {}): Record<string, unknown> {
    return { name: 'test', device: { text: 'd' }, time: 'arrival', metrics: [metricOf()], ...words };
}

export function metricOf(words: object = {}): Record<string, unknown> {
    return { name: 't', path: 't', digits: 2, ...words };
}

export function messageOf(payload: string | Uint8Array | object, words: Partial<Message> = {}): Message {
    const bytes =
        payload instanceof Uint8Array ? payload : new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload));
    return { payload: bytes, arrivedMs: Date.parse(ARRIVED), ...words };
}

/** Readings as `metric=value`, problems as `metric!reason: why` (`!reason: why` where it is the whole message). */
export function show(reader: MessageReader, message: Message): string[] {
    const { readings, problems } = reader.read(message);
    return [
        ...readings.map(({ metric, units, text }) => `${metric}=${text ?? plain(units ?? 0n)}`),
        ...problems.map(({ metric, reason, why }) => `${metric ?? ''}!${reason}: ${why}`),
    ];
}

/** What comes of one message by a profile. */
export function read(profile: object, payload: string | Uint8Array | object, words: Partial<Message> = {}): string[] {
    return show(parseProfile(profile).open(), messageOf(payload, words));
}

/** What comes of a value of the one metric of `profileOf`, which may have more words. The value is JSON text. */
export function readValue(words: object, json: string): string {
    return read(profileOf({ metrics: [metricOf(words)] }), `{"t":${json}}`).join(' | ');
}

function plain(units: bigint): string {
    return formatUnits(units, 9).replace(/\.?0+$/, '');
}
