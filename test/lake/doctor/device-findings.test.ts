/** What hinders devices at IoT Core, and what lets in whom it should not, is found before somebody misses data. */
import { describe, expect, test } from '@jest/globals';
import type { DeviceFacts } from '#lake/doctor/device-facts';
import { judgeDevices } from '#lake/doctor/device-findings';

const now = new Date('2026-02-01T12:00:00Z');
const FINGERPRINT = 'ab'.repeat(32);
const CREDENTIALS = {
    device: 'd',
    certificates: [
        { fingerprint: FINGERPRINT, serial: '0f', not_after: '2049-12-31T23:59:59.000Z', added: '2026-01-01T00:00:00Z', revoked: null },
    ],
    tokens: [],
};
const SEEN = {
    registered: new Set(['d']),
    credentials: [CREDENTIALS],
    things: new Set(['d']),
    statuses: new Map([[FINGERPRINT, 'ACTIVE']]),
};
const WELL: DeviceFacts = {
    ...{ policyName: 'policy', policy: { kind: 'found', value: true }, seen: { kind: 'found', value: SEEN } },
};

const judge = (changes: Partial<DeviceFacts> = {}) =>
    judgeDevices({ ...WELL, ...changes }, { now, redeploy: 'npx cdk deploy' }).filter(({ result }) => result !== 'ok');

test('a deployment as it should be is well', () => {
    expect(judge()).toEqual([]);
});

describe('is found:', () => {
    test.each<[string, Partial<DeviceFacts>, string]>([
        ['no policy', { policy: { kind: 'missing' } }, 'no device can connect'],
        [
            'a certificate that was revoked and is active',
            {
                seen: {
                    kind: 'found',
                    value: {
                        ...SEEN,
                        credentials: [
                            { ...CREDENTIALS, certificates: [{ ...CREDENTIALS.certificates[0]!, revoked: '2026-01-02T00:00:00Z' }] },
                        ],
                    },
                },
            },
            'it can connect',
        ],
    ])('%s, a problem', (_, changes, found) => {
        expect(judge(changes)).toEqual([expect.objectContaining({ result: 'problem', found: expect.stringContaining(found) })]);
    });

    test('what cannot be asked, as such', () => {
        const unreadable = { kind: 'unreadable', code: 'AccessDeniedException', why: 'cannot compare' } as const;
        expect(judge({ seen: unreadable }).map(({ result }) => result)).toEqual(['could not check', 'could not check']);
    });

    test('more than ten differences, in short', () => {
        const things = new Set(['d', ...Array.from({ length: 12 }, (_, at) => `stray-${at}`)]);
        const found = judge({ seen: { kind: 'found', value: { ...SEEN, things } } });
        expect(found).toHaveLength(11);
        expect(found.at(-1)).toMatchObject({ result: 'warning', found: 'and 2 more', todo: 'flowlake device list --compare' });
    });

    test('certificates near their end', () => {
        const ending = { ...CREDENTIALS, certificates: [{ ...CREDENTIALS.certificates[0]!, not_after: '2026-02-10T00:00:00Z' }] };
        expect(judge({ seen: { kind: 'found', value: { ...SEEN, credentials: [ending] } } })).toMatchObject([
            { result: 'warning', found: expect.stringContaining('ends within 30 days') },
        ]);
    });
});
