/** The example of a profile is a message that the profile reads. */
import { expect, test } from '@jest/globals';
import { topicsFor } from '#lake/live/own-topics';
import { PRESETS } from '#lake/telemetry/presets';
import { exampleMessage } from '#lake/telemetry/profile/example-message';
import { parseProfile } from '#lake/telemetry/profile/profile';

const now = new Date('2026-02-01T12:00:00Z');

const example = (document: unknown, device = 'th-1') => exampleMessage(document, { device, topics: topicsFor(device, document), now });

test('plain JSON needs no more than a number', () => {
    expect(example(PRESETS.get('plain-json'))).toEqual({ topic: 't/th-1', payload: '{"temperature":21.3}' });
});

test('a profile with topics of its own, a device and a time in the payload gets them', () => {
    expect(example(PRESETS.get('sensor-telemetry'))).toEqual({
        topic: 'dt/th-1/telemetry',
        payload: '{"timestamp":1769947200,"temp":21.3}',
    });
});

const profile = (more: object) => ({ name: 'p', device: { from: 'certificate' }, time: 'arrival', metrics: [], ...more });

test.each([
    ['a path of several keys, and limits', { metrics: [{ name: 'x', path: 'a.b', min: 50, max: 60, digits: 1 }] }, '{"a":{"b":50}}'],
    ['a text of words', { metrics: [{ name: 'x', path: 'door', kind: 'text', words: { o: 'open' } }] }, '{"door":"o"}'],
    ['a yes/no', { metrics: [{ name: 'x', path: 'on', kind: 'yes/no' }] }, '{"on":true}'],
    ['a bare value', { decoder: 'text', metrics: [{ name: 'x', path: '', digits: 0 }] }, '21'],
    [
        'the second metric, where the first has a condition',
        {
            metrics: [
                { name: 'x', path: 'a', digits: 1, only: { path: 'b', is: 7 } },
                { name: 'y', path: 'c', digits: 1 },
            ],
        },
        '{"c":21.3}',
    ],
])('of %s', (_, more, payload) => {
    expect(example(profile(more))?.payload).toBe(payload);
});

test('there is none of what no plain JSON is', () => {
    expect(example(PRESETS.get('sparkplug-b'))).toBeUndefined();
});

test('of every preset that has one it comes to a reading of the device', () => {
    const found = [...PRESETS].flatMap(([name, document]) => {
        const message = example(document);
        const read =
            message &&
            parseProfile(document)
                .open()
                .read({ payload: Buffer.from(message.payload), topic: message.topic, device: 'th-1', arrivedMs: now.getTime() });
        return read ? [[name, read.readings.length > 0 && read.readings.every(({ device }) => device === 'th-1')]] : [];
    });
    expect(found.length).toBeGreaterThan(5);
    expect(found.filter(([, isOwn]) => !isOwn)).toEqual([]);
});
