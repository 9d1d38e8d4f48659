/** The ledger: what a version is made of, and records that are held to their etag. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { retract } from '#lake/commit/retract';
import { summarize } from '#lake/commit/summarize';
import { flows } from '#lake/flows/kind';
import { DATE_ORDERS, DURATION_UNITS } from '#lake/flows/options';
import type { ReadingOptions } from '#lake/kind';
import { ledgerKey } from '#lake/layout';
import {
    commitLedger,
    contentOf,
    faultOfOptions,
    isOfContent,
    type LedgerRecord,
    listLedger,
    newVersion,
    numberOfVersion,
    readLedger,
    toOptions,
} from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { ABSENT, type ObjectStore } from '#lake/store/object-store';
import { telemetry } from '#lake/telemetry/kind';
import { FLOWS_FORMAT, metadataOf } from '#test/support/flow-tables';
import { memoryStore } from '#test/support/memory-store';
import { smallFile } from '#test/support/small-files';

const ALL_OPTIONS: ReadingOptions[] = [undefined, ...DATE_ORDERS].flatMap((dateOrder) =>
    [undefined, ...DURATION_UNITS].map((durationUnit) => ({ ...(dateOrder && { dateOrder }), ...(durationUnit && { durationUnit }) })),
);

describe('a version', () => {
    test('has another content for other bytes and for other options, and the same for the same', () => {
        const contents = ['e1', 'e2'].flatMap((etag) => ALL_OPTIONS.map((options) => contentOf(flows, { etag, options })));
        expect(new Set(contents).size).toBe(2 * ALL_OPTIONS.length);
        for (const content of contents) {
            expect(content).toMatch(/^[0-9a-f]{16}$/);
        }
        expect(contentOf(flows, { etag: 'e1', options: { durationUnit: 's', dateOrder: 'dmy' } })).toBe(
            contentOf(flows, { etag: 'e1', options: { dateOrder: 'dmy', durationUnit: 's' } }),
        );
    });

    test('has the number of the next commit, and no other attempt has it', () => {
        expect(newVersion(undefined)).toMatch(/^1-[0-9a-f]{16}$/);
        expect(newVersion(undefined)).not.toBe(newVersion(undefined));
        expect(newVersion(undefined, { attempt: 'fedcba9876543210' })).toBe('1-fedcba9876543210');
        expect(numberOfVersion('12-fedcba9876543210')).toBe(12);
    });
});

describe('reading options', () => {
    test.each(ALL_OPTIONS.map((options) => [options]))('%j come back from metadata', (options) => {
        expect(toOptions(flows, { metadata: metadataOf(options) })).toEqual(options);
    });

    test('that nobody says are none, whatever else stands in metadata', () => {
        const metadata = { sha256: 'ab', 'content-type': 'text/csv', unit: 's', author: 'me', order: '7' };
        expect(toOptions(flows, { metadata })).toEqual({});
        expect(faultOfOptions(flows, {})).toBeUndefined();
    });

    test.each(ALL_OPTIONS.map((options) => [options]))('%j have no fault', (options) => {
        expect(faultOfOptions(flows, toOptions(flows, { metadata: metadataOf(options) }))).toBeUndefined();
    });

    test.each([
        [{ 'date-order': 'MDY' }, 'its metadata say date-order="MDY", and allowed are dmy, mdy, ymd'],
        [{ 'duration-unit': 'seconds' }, 'its metadata say duration-unit="seconds", and allowed are s, ms, us, ns'],
        [{ 'duration-unit': '' }, 'its metadata say duration-unit="", and allowed are s, ms, us, ns'],
        [{ date_order: 'mdy' }, 'its metadata have "date_order", which looks like date-order and is not'],
        [{ dateorder: 'mdy' }, 'its metadata have "dateorder", which looks like date-order and is not'],
        [{ 'duration-units': 's' }, 'its metadata have "duration-units", which looks like duration-unit and is not'],
        [{ 'duratoin-unit': 's' }, 'its metadata have "duratoin-unit", which looks like duration-unit and is not'],
    ])('%j is a fault that says what is allowed', (metadata, why) => {
        expect(faultOfOptions(flows, toOptions(flows, { metadata }))).toContain(why);
        // What was read by it is another source than what was read without.
        expect(toOptions(flows, { metadata })).not.toEqual({});
    });

    test('that name an input must be a name that one can have', () => {
        expect(faultOfOptions(telemetry, toOptions(telemetry, { metadata: { profile: 'Thermostat!' } }))).toContain(
            'its metadata say profile="Thermostat!"',
        );
        expect(faultOfOptions(telemetry, toOptions(telemetry, { metadata: { profile: 'thermostat' } }))).toBeUndefined();
        expect(faultOfOptions(telemetry, toOptions(telemetry, { metadata: { profiles: 'thermostat' } }))).toContain('looks like profile');
    });
});

describe('a record', () => {
    const A = 'raw/site=berlin/a.csv';
    let store: ObjectStore;
    let record: LedgerRecord;

    beforeEach(async () => {
        store = memoryStore();
        const file = smallFile([{ src: '10.0.0.1', dst: '10.0.0.2', date: '13/02/2026', durationUs: 1, packets: 1 }], { rejects: 1 });
        await store.put(A, Buffer.from(file.text), { metadata: { 'duration-unit': 's' } });
        record = (await summarize(A, { store, now: () => new Date('2026-03-01T12:00:00Z') })).record as LedgerRecord;
    });

    test('says all that was found out', async () => {
        const raw = await store.head(A);
        const version = record.version ?? '';
        expect(version).toMatch(/^1-[0-9a-f]{16}$/);
        expect(record).toEqual({
            source: A,
            announced: null,
            site: 'berlin',
            state: 'done',
            version,
            dialect: 'cicflowmeter',
            date_order: 'dmy',
            duration_unit: 's',
            duration_unit_by: 'given',
            rows_read: 2,
            rows_kept: 1,
            rows_rejected: 1,
            repeated_headers: 0,
            rows_skipped: 0,
            skipped: null,
            rejected: 'nan 1',
            first_day: '2026-02-13',
            last_day: '2026-02-13',
            pairs: 1,
            error: null,
            fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
            beginning: [expect.stringMatching(/^[0-9a-f]{16}$/)],
            options: { durationUnit: 's' },
            size_bytes: raw?.sizeBytes,
            etag: raw?.etag,
            summarized_at: '2026-03-01T12:00:00.000Z',
            commits: 1,
            versions: { [version]: ['2026-02-13'] },
            retracted_generation: null,
            summary_format: FLOWS_FORMAT,
            history: [
                {
                    committed_at: '2026-03-01T12:00:00.000Z',
                    state: 'done',
                    version,
                    options: { durationUnit: 's' },
                    size_bytes: raw?.sizeBytes,
                    etag: raw?.etag,
                    rows_read: 2,
                    rows_kept: 1,
                    rows_rejected: 1,
                    rows_skipped: 0,
                    pairs: 1,
                    error: null,
                },
            ],
        });
        expect((await readLedger(store, sourceId(A))).record).toEqual(record);
    });

    test('knows what it was read from, also one that a program wrote which named versions by that', async () => {
        const raw = { etag: record.etag, options: record.options };
        expect(isOfContent(record, raw)).toBe(true);
        expect(isOfContent(record, { ...raw, etag: 'another' })).toBe(false);
        expect(isOfContent(record, { ...raw, options: {} })).toBe(false);
        expect(isOfContent({ ...record, version: null }, raw)).toBe(false);
        expect(isOfContent({ ...record, summary_format: FLOWS_FORMAT - 1 }, raw)).toBe(false);
        const { summary_format: _, ...older } = record;
        expect(isOfContent(older, raw)).toBe(false);
        expect(isOfContent({ ...older, version: `1-${contentOf(flows, raw)}` }, raw)).toBe(true);
        expect(isOfContent({ ...older, version: `1-${contentOf(flows, raw)}` }, { ...raw, options: {} })).toBe(false);
    });

    test('remembers what each commit said, also that a record without a history said it', async () => {
        const { history: _, ...old } = record;
        const { etag } = await readLedger(store, sourceId(A));
        await commitLedger(store, { source: sourceId(A), record: old, etag });
        const { record: retracted } = await retract(A, { store, now: () => new Date('2026-03-02T12:00:00Z') });
        await store.put(A, Buffer.from('no flows at all'));
        const { record: failed } = await summarize(A, { store, now: () => new Date('2026-03-03T12:00:00Z') });
        expect(retracted?.history).toEqual(failed?.history?.slice(0, 2));
        expect(failed?.history?.map(({ committed_at, state, version, rows_kept }) => [committed_at, state, version, rows_kept])).toEqual([
            ['2026-03-01T12:00:00.000Z', 'done', record.version, 1],
            ['2026-03-02T12:00:00.000Z', 'retracted', null, 0],
            ['2026-03-03T12:00:00.000Z', 'failed', failed?.version, 0],
        ]);
    });

    test('is one line of JSON, as the table of sources reads it', async () => {
        const text = Buffer.from((await store.get(ledgerKey(sourceId(A))))?.bytes ?? []).toString();
        expect(text).toBe(`${JSON.stringify(record)}\n`);
    });

    test('is committed on the etag that was read and on no other', async () => {
        const { etag } = await readLedger(store, sourceId(A));
        expect(await commitLedger(store, { source: sourceId(A), record, etag: ABSENT })).toBe(false);
        expect(await commitLedger(store, { source: sourceId(A), record: { ...record, commits: 2 }, etag })).toBe(true);
        expect(await commitLedger(store, { source: sourceId(A), record, etag })).toBe(false);
        expect((await readLedger(store, sourceId(A))).record?.commits).toBe(2);
    });

    test('that is not there is told from one that cannot be read', async () => {
        expect(await readLedger(store, sourceId('raw/none'))).toEqual({ etag: ABSENT, record: undefined });
        const without = ['source', 'commits', 'versions', 'state'].map((name) => JSON.stringify({ ...record, [name]: undefined }));
        for (const text of ['{}', '[]', 'null', '7', ...without]) {
            await store.put(ledgerKey(sourceId('raw/none')), Buffer.from(text));
            await expect(readLedger(store, sourceId('raw/none'))).rejects.toThrow(
                `${ledgerKey(sourceId('raw/none'))} is no ledger record: restore it from a backup`,
            );
        }
    });

    test.each(['', '{"source":"raw/a', 'not JSON'])('that was cut or overwritten is named in the error: %j', async (text) => {
        await store.put(ledgerKey(sourceId(A)), Buffer.from(text));
        await expect(readLedger(store, sourceId(A))).rejects.toMatchObject({
            name: 'StorageError',
            message: expect.stringContaining(`${ledgerKey(sourceId(A))} is no ledger record`),
        });
    });

    test.each(['commits', 'rows_read', 'rows_kept', 'rows_rejected', 'size_bytes'])(
        'without %s is none: no sum over it would be a number',
        async (name) => {
            const { [name]: _, ...rest } = record;
            await store.put(ledgerKey(sourceId(A)), Buffer.from(JSON.stringify(rest)));
            await expect(readLedger(store, sourceId(A))).rejects.toThrow(`${ledgerKey(sourceId(A))} is no ledger record: restore it`);
        },
    );

    test('of a newer program is not overwritten by this one, and the error says what to do', async () => {
        const { etag } = await readLedger(store, sourceId(A));
        await commitLedger(store, { source: sourceId(A), record: { ...record, summary_format: FLOWS_FORMAT + 1 }, etag });
        await store.put(A, Buffer.from('other bytes'));
        await expect(summarize(A, { store, now: () => new Date() })).rejects.toMatchObject({
            name: 'StorageError',
            message: expect.stringContaining(
                `newer flowlake (summary format ${FLOWS_FORMAT + 1}, this one knows ${FLOWS_FORMAT}): install that version`,
            ),
        });
        const { summary_format, ...older } = { ...record, summary_format: undefined };
        await store.put(ledgerKey(sourceId(A)), Buffer.from(JSON.stringify(older)));
        expect((await readLedger(store, sourceId(A))).record).toEqual(older);
    });

    test('is listed with all others, and what is none is passed over', async () => {
        await store.put('ledger/.part', Buffer.from('x'));
        await store.put('ledger/readme.txt', Buffer.from('x'));
        const listed: string[] = [];
        for await (const { source } of listLedger(store)) {
            listed.push(source);
        }
        expect(listed).toEqual([A]);
    });
});
