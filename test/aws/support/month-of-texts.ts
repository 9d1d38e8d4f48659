/** A month of the deployed lake that belongs to one test: files of flows in it, and what must hold of them whenever nothing is at work. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { rawKey } from '#lake/layout';
import { type LedgerRecord, readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { recount } from '#test/hard/support/flow-texts';
import { PAIR_DAYS_PREFIX } from '#test/support/flow-tables';
import { FIGURE_COLUMNS } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';
import { askDirectory, bucket, flowlake, s3, store } from './deployed.ts';

export interface MonthOfTexts {
    /** Raw keys of files that were put, ascending. */
    keys(): string[];
    keyOf(name: string): string;
    /** A text of `drawText` is put as it would be in this month; returns what was put. */
    put(name: string, drawn: string): Promise<string>;
    /** The text that was put last counts no more. */
    retracted(name: string): void;
    /** @throws where there is none */
    record(name: string): Promise<LedgerRecord>;
    /** ETags of the month's days, by key: another one says that somebody wrote the day. */
    dayETags(): Promise<Map<string, string>>;
    /** Throws unless each raw file is what was put, and each figure what a plain count of their lines comes to. */
    assertFigures(): Promise<void>;
    /**
     * Asserts the figures, and that `verify` finds nothing but leftovers that count nowhere; after reconcile has taken these away, nothing
     * at all.
     */
    assertRight(): Promise<void>;
}

/** `month`: `yyyy-mm`, of no other test. */
export function openMonth(month: string): MonthOfTexts {
    const site = `s${randomUUID().slice(0, 8)}`;
    const texts = new Map<string, { text: string; counts: boolean }>();
    const [year, number] = month.split('-');
    const keyOf = (name: string): string => rawKey({ site, name });

    async function days(): Promise<{ key: string; etag: string }[]> {
        const found: { key: string; etag: string }[] = [];
        for await (const { key } of store.list(`${PAIR_DAYS_PREFIX}day=${month}-`)) {
            const info = await store.head(key);
            found.push({ key, etag: info?.etag ?? '' });
        }
        return found;
    }

    /** Read by DuckDB: neither the reader nor the writer of the lake. */
    async function figures(): Promise<Map<string, string>> {
        const folder = await makeFolder();
        for (const { key } of await days()) {
            const object = await store.get(key);
            await mkdir(dirname(join(folder, key)), { recursive: true });
            await writeFile(join(folder, key), object?.bytes ?? '');
        }
        const rows = await askDirectory(folder, 'select * from pair_days');
        const found = rows.map((row): [string, string] => [
            [row.day, row.site, row.src_ip, row.dst_ip].join(' '),
            FIGURE_COLUMNS.map((column) => row[column]).join(' '),
        ]);
        return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
    }

    async function assertFigures(): Promise<void> {
        for (const [name, { text }] of texts) {
            const raw = await store.get(keyOf(name));
            if (raw === undefined || Buffer.from(raw.bytes).toString() !== text) {
                throw new Error(`${keyOf(name)} is not what was put`);
            }
        }
        const wanted = recount([...texts.values()].filter(({ counts }) => counts).map(({ text }) => ({ text, site })));
        const found = await figures();
        const wrong = [...new Set([...wanted.keys(), ...found.keys()])].filter((key) => wanted.get(key) !== found.get(key));
        if (wrong.length > 0 || wanted.size === 0) {
            const [key = ''] = wrong;
            throw new Error(`${wrong.length} of ${wanted.size} figures differ: ${key} is ${found.get(key)}, not ${wanted.get(key)}`);
        }
    }

    const verify = async (folder: string) => {
        const ran = await flowlake(`--output json verify --from ${month}-01 --to ${month}-28 --limit 1000`, { folder });
        return { ...ran, text: `verify ended with ${ran.exitCode}: ${ran.stdout}${ran.stderr}` };
    };

    return {
        keys: () => [...texts.keys()].map(keyOf).sort(),
        keyOf,
        async put(name, drawn) {
            const text = drawn.replaceAll('/01/2026', `/${number}/${year}`);
            await s3.send(new PutObjectCommand({ Bucket: bucket, Key: keyOf(name), Body: text }));
            texts.set(name, { text, counts: true });
            return text;
        },
        retracted(name) {
            texts.set(name, { text: texts.get(name)?.text ?? '', counts: false });
        },
        async record(name) {
            const { record } = await readLedger(store, sourceId(keyOf(name)));
            if (!record) {
                throw new Error(`${keyOf(name)} has no record`);
            }
            return record;
        },
        dayETags: async () => new Map((await days()).map(({ key, etag }) => [key, etag])),
        assertFigures,
        async assertRight() {
            await assertFigures();
            const folder = await makeFolder();
            const first = await verify(folder);
            const differences = first.exitCode === 0 ? [] : (JSON.parse(first.stdout) as { kind: string }[]);
            if (first.exitCode !== 0 && !differences.every(({ kind }) => kind === 'dead_object')) {
                throw new Error(first.text);
            }
            const reconciled = await flowlake('reconcile', { folder });
            const last = await verify(folder);
            if (reconciled.exitCode !== 0 || last.exitCode !== 0) {
                throw new Error(`reconcile ended with ${reconciled.exitCode}: ${reconciled.stderr}; ${last.text}`);
            }
            await assertFigures();
        },
    };
}

/** A text of `drawText` with all of its flows on one day, 1 to 28, of the month that it will be put into. */
export function onDay(drawn: string, day: number): string {
    return drawn.replaceAll(/,\d+\/01\/2026/g, `,${String(day).padStart(2, '0')}/01/2026`);
}
