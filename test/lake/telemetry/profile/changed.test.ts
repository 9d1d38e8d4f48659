/** A profile that is changed by one digit, a unit, a zone, a sentinel gives other readings of its maker's messages: the golden messages notice it. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { PRESETS } from '#lake/telemetry/presets';
import { parseProfile } from '#lake/telemetry/profile/profile';

const FOLDER = new URL('../../../fixtures/messages/', import.meta.url);

/** All that comes of a maker's messages by a profile, as one text. */
function outcomeOf(maker: string, document: unknown): string {
    const { messages } = JSON.parse(readFileSync(new URL(`${maker}.json`, FOLDER), 'utf8'));
    const profile = parseProfile(document);
    const reader = profile.open();
    return JSON.stringify(
        messages.map((message: any) => {
            const { readings, problems } = reader.read({
                payload:
                    message.payload_base64 === undefined ? Buffer.from(message.payload) : Buffer.from(message.payload_base64, 'base64'),
                arrivedMs: Date.parse(message.arrival),
                topic: message.topic,
                headers: message.headers,
                key: message.partition_key,
                isRetained: message.retain,
            });
            return [
                readings.map((reading) => [reading, profile.rules.digitsOf(reading.metric), profile.factsOf(reading.metric)]),
                problems,
            ];
        }),
        (_, value) => (typeof value === 'bigint' ? String(value) : value),
    );
}

type Change = (document: any) => void;

const metric =
    (name: string, change: (metric: any) => void): Change =>
    (document) =>
        change(document.metrics.find((each: any) => each.name === name));

test.each<[string, string, Change]>([
    [
        'chirpstack-v4',
        'a digit less',
        metric('battery', (words) => {
            words.digits = 1;
        }),
    ],
    [
        'chirpstack-v4',
        'a unit',
        metric('humidity', (words) => {
            words.unit = '%';
        }),
    ],
    [
        'chirpstack-v4',
        'a limit',
        metric('temperature', (words) => {
            words.max = 21;
        }),
    ],
    [
        'chirpstack-v4',
        'a flag',
        metric('battery', (words) => {
            words.unless.pop();
        }),
    ],
    [
        'chirpstack-v4',
        'an identity',
        (document) => {
            document.identity.pop();
        },
    ],
    [
        'thethingsstack-v3',
        'a counter that may be absent',
        (document) => {
            delete document.identity[1].absent;
        },
    ],
    [
        'thethingsstack-v3',
        'another of its times',
        (document) => {
            document.time.shift();
        },
    ],
    [
        'cloudevents',
        'a header',
        (document) => {
            document.let.id.shift();
        },
    ],
    [
        'cloudevents',
        'the arrival',
        (document) => {
            document.time.pop();
        },
    ],
    [
        'flespi',
        'a unit of time',
        (document) => {
            document.time.unit = 'ms';
        },
    ],
    [
        'flespi',
        'a condition',
        metric('position.latitude', (words) => {
            delete words.unless;
        }),
    ],
    [
        'flespi',
        'a digit less',
        metric('position.latitude', (words) => {
            words.digits = 3;
        }),
    ],
    [
        'owntracks',
        'what is no reading',
        (document) => {
            document.notReadings.shift();
        },
    ],
    [
        'owntracks',
        'a ping',
        metric('accuracy', (words) => {
            delete words.only;
        }),
    ],
    [
        'owntracks',
        'a level of the topic',
        (document) => {
            document.device.text = '{phone}';
        },
    ],
    [
        'senml',
        'where the metric begins',
        (document) => {
            document.let.metric.afterLast = 'm';
        },
    ],
    [
        'senml',
        'a sum',
        (document) => {
            document.metrics = document.metrics.filter((words: any) => words.path !== 'sum');
        },
    ],
    [
        'shelly-gen2',
        'the other unit',
        metric('temperature.{n}', (words) => {
            words.path = 'params.temperature:{n}.tF';
        }),
    ],
    [
        'shelly-gen2',
        'external power',
        metric('battery.{n}', (words) => {
            delete words.unless;
        }),
    ],
    [
        'shelly-gen2',
        'a digit less',
        metric('energy.{n}', (words) => {
            words.digits = 0;
        }),
    ],
    [
        'sparkplug-b',
        'a sentinel',
        metric('batt', (words) => {
            words.sentinels[0].is = 254;
        }),
    ],
    [
        'sparkplug-b',
        'a metric without statistics',
        metric('pulses', (words) => {
            delete words.statistics;
        }),
    ],
    [
        'sparkplug-b',
        'what is historical',
        metric('temp', (words) => {
            delete words.historical;
        }),
    ],
    [
        'tasmota',
        'a zone',
        (document) => {
            document.time[0].zone = 'Europe/London';
        },
    ],
    [
        'tasmota',
        'a first day',
        (document) => {
            document.clock.earliest = '1970-01-01';
        },
    ],
    [
        'tasmota',
        'a suspect',
        metric('temperature.{id}', (words) => {
            words.suspects[0].is = 84;
        }),
    ],
    [
        'tasmota',
        'a unit of the message',
        metric('temperature.{id}', (words) => {
            words.unitFrom.units.F = 'Cel';
            words.max = 200;
        }),
    ],
    [
        'tasmota',
        'a unit',
        metric('energy.total', (words) => {
            words.unit = 'Wh';
        }),
    ],
    [
        'victron',
        'a digit',
        metric('dc.voltage', (words) => {
            words.digits = 3;
        }),
    ],
    [
        'victron',
        'a scale',
        metric('dc.voltage', (words) => {
            words.scale = 1.1;
        }),
    ],
    [
        'victron',
        'an offset',
        metric('dc.voltage', (words) => {
            words.offset = '0.01';
        }),
    ],
    [
        'victron',
        'what nothing means',
        (document) => {
            delete document.emptyMeans;
        },
    ],
    [
        'zigbee2mqtt',
        'a time',
        (document) => {
            document.time.shift();
        },
    ],
    [
        'zigbee2mqtt',
        'a unit',
        metric('voltage', (words) => {
            words.unit = 'V';
        }),
    ],
])('%s: %s', (maker, _, change) => {
    const preset = PRESETS.get(maker);
    const changed = structuredClone(preset);
    change(changed);
    expect(outcomeOf(maker, preset)).toBe(outcomeOf(maker, structuredClone(preset)));
    expect(outcomeOf(maker, changed)).not.toBe(outcomeOf(maker, preset));
});
