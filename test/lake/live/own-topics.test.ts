/** Which topics are a device's own, and what it may subscribe to. */
import { expect, test } from '@jest/globals';
import { devicePatternsOf, isOwnTopic, mayReceive } from '#lake/live/own-topics';
import { PRESETS } from '#lake/telemetry/presets';

const own = (topic: string, device: string, profile: object = {}): boolean =>
    isOwnTopic(topic, { device, patterns: devicePatternsOf(profile) });

test.each<[string, string, object, boolean]>([
    ['t/th-1', 'th-1', {}, true],
    ['t/th-1/a/b', 'th-1', {}, true],
    ['t/th-1/', 'th-1', {}, true],
    ['t/th-10', 'th-1', {}, false],
    ['t/TH-1', 'th-1', {}, false],
    ['/t/th-1', 'th-1', {}, false],
    ['tele/plug/SENSOR', 'plug', { topics: ['tele/{device}/{event}'] }, true],
    ['tele/other/SENSOR', 'plug', { topics: ['tele/{device}/{event}'] }, false],
    ['shelly-1/events/rpc', 'shelly-1', { topics: ['{id}/{rest#}'], device: [{ path: 'src' }, { text: '{id}' }] }, true],
    ['shelly-2/events/rpc', 'shelly-1', { topics: ['{id}/{rest#}'], device: { text: '{id}' } }, false],
    // A capture that is not said to be the device's is not: the site could be called as another device is.
    ['plug/x', 'plug', { topics: ['{site}/{name}'], device: { path: 'id' } }, false],
    ['berlin/plug', 'plug', { topics: ['{site}/{device}'] }, true],
    ['plug/berlin', 'plug', { topics: ['{site}/{device}'] }, false],
    ['all/of/us', 'plug', { topics: ['all/#', '#'] }, false],
    // Trees that are given out by id stay so, whatever a profile says.
    ['t/other/plug', 'plug', { topics: ['t/+/{device}', '{x}/{y}/{device}'] }, false],
    ['cmd/other/plug', 'plug', { topics: ['cmd/{x}/{device}'] }, false],
    ['$aws/plug', 'plug', { topics: ['$aws/{device}'] }, false],
    ['zigbee2mqtt/lamp', 'lamp', { topics: ['zigbee2mqtt/{device#}'] }, true],
    ['zigbee2mqtt/lamp/other', 'lamp', { topics: ['zigbee2mqtt/{device#}'] }, false],
])('topic %s of device %s', (topic, device, profile, is) => {
    expect(own(topic, device, profile)).toBe(is);
});

test('the presets’ topics are own where they name the device', () => {
    const named = [...PRESETS].flatMap(([name, document]) => (devicePatternsOf(document).length > 0 ? [name] : []));
    expect(named).toEqual(expect.arrayContaining(['shelly-gen2', 'tasmota', 'zigbee2mqtt']));
});

test.each<[string, boolean]>([
    ['t/d/#', true],
    ['t/d', true],
    ['cmd/d/+/x', true],
    ['t/+/x', false],
    ['t/#', false],
    ['#', false],
    ['t/d2/#', false],
    ['$SYS/#', false],
])('filter %s', (filter, may) => {
    expect(mayReceive(filter, 'd')).toBe(may);
});
