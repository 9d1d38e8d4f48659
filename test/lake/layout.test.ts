/** Keys of objects, and what can be told from them. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
    chainKey,
    chainPlaceOf,
    chainPrefix,
    contributionKey,
    contributionOf,
    contributionsPrefix,
    dayOf,
    dayOfPeriod,
    isSourceName,
    kindNameOf,
    ledgerKey,
    mergedKey,
    periodOf,
    rawKey,
    siteOf,
} from '#lake/layout';
import { sourceId } from '#lake/source-id';
import { pairDaysKey, rejectsKey, summaryKey } from '#test/support/flow-tables';
import { gaugeHours } from '#test/support/made-up-table';

const hex = fc.stringMatching(/^[0-9a-f]{16}$/);
const version = fc.tuple(fc.integer({ min: 1 }), hex).map(([n, content]) => `${n}-${content}`);
const day = fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));
const site = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const name = fc
    .array(
        fc.string({ unit: 'grapheme', minLength: 1 }).filter((part) => !/^\.|[/\p{Cc}]/u.test(part)),
        { minLength: 1 },
    )
    .map((parts) => parts.join('/'));

test('a summary’s key gives back day, source and version', () => {
    fc.assert(
        fc.property(day, hex, version, (day, source, version) => {
            const key = summaryKey({ day, source, version });
            expect(dayOf(key)).toBe(day);
            expect(contributionOf(key)).toEqual({ source, version });
            expect(contributionOf(rejectsKey({ source, version }))).toEqual({ source, version });
            expect(dayOf(pairDaysKey(day))).toBe(day);
        }),
    );
});

test('keys of a table by hour give back the hour, and no hour is taken for another one', () => {
    const hour = fc.integer({ min: 0, max: 23 }).map((number) => String(number).padStart(2, '0'));
    fc.assert(
        fc.property(day, hour, hour, hex, version, (day, hour, other, source, version) => {
            const period = `${day}T${hour}`;
            const contribution = contributionKey(gaugeHours, { period, source, version });
            expect(contribution).toBe(`gauge_hours/day=${day}/${hour}.${source}.${version}.parquet`);
            expect([periodOf(gaugeHours, contribution), contributionOf(contribution)]).toEqual([period, { source, version }]);
            expect(mergedKey(gaugeHours, period)).toBe(`gauge_hours/day=${day}/${hour}.parquet`);
            expect([periodOf(gaugeHours, mergedKey(gaugeHours, period)), dayOfPeriod(period)]).toEqual([period, day]);
            expect(contribution.startsWith(contributionsPrefix(gaugeHours, `${day}T${other}`))).toBe(hour === other);
        }),
    );
});

test.each([
    'pair_days/day=2026-02-01/13.parquet',
    'gauge_hours/13.parquet',
    'gauge_hours/day=2026-02-01/part-00.parquet',
    'gauge_hours/day=2026-02-01/24.parquet',
    'gauge_hours/day=2026-02-01/1.parquet',
])('%j is of no hour', (key) => {
    expect(periodOf(gaugeHours, key)).toBeUndefined();
});

test('a raw key names its kind in front of its site, and without one it is of the first kind', () => {
    expect(rawKey({ kind: 'gauges', site: 'berlin', name: 'a.gauge' })).toBe('raw/kind=gauges/site=berlin/a.gauge');
    expect(rawKey({ kind: 'gauges', name: 'a.gauge' })).toBe('raw/kind=gauges/a.gauge');
    expect(['raw/kind=gauges/site=berlin/a.gauge', 'raw/site=berlin/a.csv', 'raw/x/kind=gauges/a'].map(kindNameOf)).toEqual([
        'gauges',
        undefined,
        undefined,
    ]);
    expect(siteOf('raw/kind=gauges/site=berlin/a.gauge')).toBe('berlin');
    expect(() => rawKey({ name: 'kind=gauges/a.csv' })).toThrow('Rename it, or upload what is in it with --kind');
    expect(() => rawKey({ site: 'main', name: 'kind=gauges/a.csv' })).toThrow('Rename it, or upload what is in it with --kind');
    expect(rawKey({ site: 'berlin', name: 'kind=gauges/a.csv' })).toBe('raw/site=berlin/kind=gauges/a.csv');
});

describe('a chain', () => {
    const chain = { kind: 'telemetry', stream: '20260105T100000Z-00c0ffee', shard: '0' };

    test('has keys that sort as the numbers do, and give them back', () => {
        const ends = ['0', '9', '10', '99', '100', '5'.repeat(56), '9'.repeat(128)];
        const keys = ends.map((end) => chainKey(chain, end));
        expect(keys.toSorted()).toEqual(keys);
        expect(keys.map(chainPlaceOf)).toEqual(ends.map((predecessorEnd) => ({ prefix: chainPrefix(chain), predecessorEnd })));
        expect(chainKey(chain, '0009')).toBe(chainKey(chain, '9'));
    });

    test('has no other objects than those', () => {
        const key = chainKey(chain, '7');
        const others = [
            key.replace('0/0', '0/'),
            `${key}x`,
            key.replace('stream=', 'site='),
            key.replace('kind=telemetry/', ''),
            'raw/a.csv',
        ];
        expect(others.map(chainPlaceOf)).toEqual(others.map(() => undefined));
    });

    test('has a stream and a shard that a key may name', () => {
        expect(() => chainPrefix({ ...chain, stream: 'a/b' })).toThrow('A chain cannot be named "a/b"');
        expect(() => chainPrefix({ ...chain, shard: '' })).toThrow('A chain cannot be named ""');
    });

    test('gets no object by an upload', () => {
        const name = chainKey(chain, '7').slice('raw/kind=telemetry/'.length);
        expect(() => rawKey({ kind: 'telemetry', name })).toThrow(
            'it is that of an object of a chain, which live inboxes alone write (--as NAME)',
        );
        expect(rawKey({ kind: 'telemetry', name: `copies/${name}` })).toBe(`raw/kind=telemetry/copies/${name}`);
    });
});

test.each([
    ['raw/site=berlin/folder/', false],
    ['raw/', false],
    ['raw/.DS_Store', false],
    ['raw/site=berlin/.git/config', false],
    ['raw/a//b.csv', false],
    ['raw/out/_SUCCESS', false],
    ['raw/out/_committed_123', false],
    ['raw/kind=telemetry/Thumbs.db', false],
    ['raw/kind=telemetry/site=x/desktop.ini', false],
    ['raw/README.txt', false],
    ['raw/LICENSE', false],
    ['raw/license.md', false],
    ['raw/_monday.csv', true],
    ['raw/readme.csv', true],
    ['raw/conn.log', true],
    ['raw/site=berlin/2026/a.b.csv', true],
    ['summaries/a.csv', false],
])('%s is one of a source: %s', (key, isOne) => {
    expect(isSourceName(key)).toBe(isOne);
});

test.each(['.hidden.csv', 'a/.git/config', '_SUCCESS', 'README.md'])('%s is uploaded under another name only', (name) => {
    expect(() => rawKey({ name })).toThrow(
        `Name ${JSON.stringify(name)} is not usable: such files lie beside others and hold no data (--as NAME, if this one does)`,
    );
});

test('a raw key has 1024 bytes at most, counted in UTF-8 and with its folders', () => {
    const longest = `${'ü'.repeat(502)}.csv`;
    expect(Buffer.byteLength(rawKey({ site: 'berlin', name: longest }))).toBe(1024);
    expect(() => rawKey({ site: 'berlin', name: `${longest}x` })).toThrow('with raw/ and site it has 1025 bytes, of 1024 (--as NAME)');
});

test('a raw key gives back its site, and no two names have one key', () => {
    fc.assert(
        fc.property(site, name, (site, name) => {
            expect(siteOf(rawKey({ site, name }))).toBe(site);
            expect(rawKey({ site, name }).endsWith(`/${name}`)).toBe(true);
            // Only a name that itself begins like a site's folder is of that site.
            expect(siteOf(rawKey({ name }))).toBe(/^site=([^/]+)\/./s.exec(name)?.[1] ?? 'main');
        }),
    );
});

test('a name may begin with what ends a line to regular expressions', () => {
    expect(siteOf(rawKey({ site: 'berlin', name: '\u2028a.csv' }))).toBe('berlin');
    expect(kindNameOf(rawKey({ kind: 'gauges', name: '\u2029a.csv' }))).toBe('gauges');
});

test('keys are as the design says, so that other tools find them', () => {
    expect(rawKey({ name: 'monday.csv' })).toBe('raw/monday.csv');
    expect(rawKey({ site: 'main', name: 'monday.csv' })).toBe('raw/monday.csv');
    expect(rawKey({ site: 'berlin', name: 'a b/ü+%.csv' })).toBe('raw/site=berlin/a b/ü+%.csv');
    expect(sourceId('raw/site=berlin/monday.csv')).toMatch(/^[0-9a-f]{16}$/);
    expect(ledgerKey('0123456789abcdef')).toBe('ledger/0123456789abcdef.json');
    expect(summaryKey({ day: '2026-02-01', source: '0123456789abcdef', version: '12-fedcba9876543210' })).toBe(
        'summaries/day=2026-02-01/0123456789abcdef.12-fedcba9876543210.parquet',
    );
    expect(rejectsKey({ source: '0123456789abcdef', version: '12-fedcba9876543210' })).toBe(
        'rejects/0123456789abcdef.12-fedcba9876543210.jsonl.gz',
    );
    expect(pairDaysKey('2026-02-01')).toBe('pair_days/day=2026-02-01/part-00.parquet');
});

test.each([
    'raw/site=/a.csv',
    'raw/site=berlin',
    'raw/site=berlin/',
    'raw/x/site=berlin/a.csv',
    'raw/x/raw/site=berlin/a.csv',
    'raw/Site=berlin/a.csv',
])('%s names no site', (key) => {
    expect(siteOf(key)).toBe('main');
});

test.each([
    'summaries/day=2026-02-01/0123456789abcdef.1-fedcba9876543210.parquet.crc',
    'summaries/day=2026-02-01/_SUCCESS',
    'summaries/day=2026-02-01/0123456789ABCDEF.1-fedcba9876543210.parquet',
    'summaries/day=2026-02-01/0123456789abcdef.fedcba9876543210.parquet',
    'pair_days/day=2026-02-01/part-00.parquet',
    'ledger/0123456789abcdef.json',
])('%s is nobody’s contribution', (key) => {
    expect(contributionOf(key)).toBeUndefined();
});

test.each(['summaries/day=2026-2-1/x', 'summaries/2026-02-01/x', 'pair_days/day=2026-02-01', 'raw/a.csv'])('%s has no day', (key) => {
    expect(dayOf(key)).toBeUndefined();
});

describe('a name that no key may have', () => {
    test.each(['', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/../b', 'a/./b', 'a\nb', 'a\tb', 'a\u0000b', 'a\u007fb'])(
        'is refused: %j',
        (name) => {
            expect(() => rawKey({ name })).toThrow('is not usable: give a relative path');
        },
    );

    test.each(['', '.', '..', 'a/b', 'a b', 'a=b', '-a', '_a', '.a', 'ü', 'a\n'])('is refused as a site: %j', (site) => {
        expect(() => rawKey({ site, name: 'a.csv' })).toThrow('is not usable: letters, digits, dot, dash and underscore');
    });
});
