/** Registry, credentials and IoT Core side by side: each way in which they can differ is named once, with what to type. */
import { expect, test } from '@jest/globals';
import { type DevicesSeen, differencesOf } from '#lake/cloud/iot-differences';
import type { CertificateRecord, Credentials } from '#lake/credentials';

const [ONE, TWO] = ['ab'.repeat(32), 'cd'.repeat(32)];

function certificate(fingerprint: string, revoked: string | null = null): CertificateRecord {
    return { fingerprint, serial: '0f', not_after: '2049-12-31T23:59:59.000Z', added: '2026-02-01T12:00:00.000Z', revoked };
}

function of(device: string, ...certificates: CertificateRecord[]): Credentials {
    return { device, certificates, tokens: [] };
}

const AT = '2026-02-02T00:00:00.000Z';

function seen({
    registered = ['d'],
    credentials = [of('d', certificate(ONE))],
    things = ['d'],
    statuses = [[ONE, 'ACTIVE']],
}: Parts): DevicesSeen {
    return { registered: new Set(registered), credentials, things: new Set(things), statuses: new Map(statuses) };
}

interface Parts {
    registered?: string[];
    credentials?: Credentials[];
    things?: string[];
    statuses?: [string, string][];
}

test.each<[string, Parts]>([
    ['a device with its certificate', {}],
    [
        'one with two, of which one was revoked',
        {
            credentials: [of('d', certificate(ONE), certificate(TWO, AT))],
            statuses: [
                [ONE, 'ACTIVE'],
                [TWO, 'REVOKED'],
            ],
        },
    ],
    ['one whose revoked certificate was deleted', { credentials: [of('d', certificate(ONE, AT))], statuses: [] }],
    ['one that sends by HTTP', { credentials: [{ ...of('d'), tokens: [] }], things: [] }],
    ['one that has nothing yet', { credentials: [], things: [] }],
    [
        'another application’s certificates',
        {
            statuses: [
                [ONE, 'ACTIVE'],
                [TWO, 'ACTIVE'],
            ],
        },
    ],
])('%s differs in nothing', (_, parts) => {
    expect(differencesOf(seen(parts))).toEqual([]);
});

test.each<[string, Parts, boolean, string]>([
    ['revoked here, active there', { credentials: [of('d', certificate(ONE, AT))] }, true, 'is ACTIVE at IoT Core: it can connect'],
    ['holds here, inactive there', { statuses: [[ONE, 'INACTIVE']] }, false, 'holds here, and is INACTIVE at IoT Core'],
    ['holds here, gone there', { statuses: [] }, false, 'holds here, and is not there at IoT Core'],
    ['a certificate without a thing', { things: [] }, false, 'IoT Core has no thing of it: it cannot connect'],
    [
        'credentials without a record',
        { registered: [], things: [], credentials: [of('d')] },
        false,
        'is not in the registry: what it sends is put aside',
    ],
    ['a thing without a record', { registered: [], credentials: [] }, false, 'is a thing of IoT Core, and not in the registry'],
    ['a thing without a certificate', { credentials: [] }, false, 'is a thing of IoT Core, and the lake knows no certificate of it'],
])('%s is told', (_, parts, isGrave, what) => {
    expect(differencesOf(seen(parts))).toEqual([
        { device: 'd', isGrave, what: expect.stringContaining(what), todo: expect.stringMatching(/^flowlake device (add|revoke) d/) },
    ]);
});

test('what lets somebody in comes first', () => {
    const found = differencesOf(
        seen({
            registered: ['a', 'd'],
            credentials: [of('a', certificate(TWO)), of('d', certificate(ONE, AT))],
            things: ['a', 'd'],
            statuses: [
                [ONE, 'ACTIVE'],
                [TWO, 'INACTIVE'],
            ],
        }),
    );
    expect(found.map(({ device, isGrave }) => [device, isGrave])).toEqual([
        ['d', true],
        ['a', false],
    ]);
});
