/** The lake as deployed: real events run the deployed bundles, and the figures are those of a lake in a directory, digit by digit. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
    CompleteMultipartUploadCommand,
    CopyObjectCommand,
    CreateMultipartUploadCommand,
    DeleteObjectCommand,
    PutObjectCommand,
    UploadPartCommand,
} from '@aws-sdk/client-s3';
import { readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { sourceMessage } from '#lake/work/messages';
import { flowCsv } from '#test/support/flow-csv';
import { collect, runFlowlake, startFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { askCopy, askDirectory, bucket, environment, flowlake, queueOf, s3, settled, store, until } from './support/deployed.ts';

/** A site that no other test has. */
function newSite(): string {
    return `s${randomUUID().slice(0, 8)}`;
}

async function makeFiles(files: Record<string, string | Uint8Array>): Promise<string> {
    const folder = await makeFolder();
    for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), content);
    }
    return folder;
}

function figuresOf(site: string): string {
    return `select * from pair_days where site = '${site}' order by day, src_ip, dst_ip`;
}

const put = (key: string, Body: string | Uint8Array) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body }));

describe('files that are uploaded', () => {
    test('give the figures, records and rejects of a lake in a directory', async () => {
        const folder = await makeFolder();
        expect((await runFlowlake('sample captures --flows 6000 --days 3 --pairs 60', { folder })).exitCode).toBe(0);
        const sites = [newSite(), newSite(), newSite(), newSite()];
        for (const [at, sampled] of ['berlin', 'lisbon', 'osaka'].entries()) {
            await rename(join(folder, `captures/site=${sampled}`), join(folder, `captures/site=${sites[at]}`));
        }
        const odd = join(folder, `captures/site=${sites[3]}`);
        await mkdir(odd);
        await writeFile(join(odd, 'rejects.csv'), flowCsv([{ duration: 'x' }, {}, { src: 'nobody' }]));
        await writeFile(join(odd, 'packed.csv.gz'), gzipSync(flowCsv([{ duration: 2 ** 40 }, { packets: 2 ** 33 }])));
        await writeFile(join(odd, 'no flows.csv'), `Src IP,Dst IP,${sites[3]}\n`);
        const onS3 = await flowlake('--output json upload --allow-duplicate --date-order dmy captures', { folder });
        const inDirectory = await runFlowlake('--lake lake --output json upload --allow-duplicate --date-order dmy captures', { folder });
        expect(JSON.parse(onS3.stdout)).toEqual(JSON.parse(inDirectory.stdout));
        expect(onS3.exitCode).toBe(inDirectory.exitCode);
        const ofThisTest = `site in (${sites.map((site) => `'${site}'`).join(', ')})`;
        const questions = [
            `select * from pair_days where ${ofThisTest} order by day, site, src_ip, dst_ip`,
            `select source, site, state, dialect, date_order, duration_unit, rows_read, rows_kept, rows_rejected, first_day, last_day, pairs,
                size_bytes, error from sources where ${ofThisTest} order by source`,
            `select source, line_number, reason, line from rejects where source like '%site=${sites[3]}/%' order by source, line_number`,
        ];
        for (const question of questions) {
            const rows = await askCopy(question);
            expect(rows.length).toBeGreaterThan(0);
            expect(rows).toEqual(await askDirectory(join(folder, 'lake'), question));
        }
        // Later tests count on what needs no person.
        expect((await flowlake(['retract', `raw/site=${sites[3]}/no flows.csv`], { folder })).exitCode).toBe(0);
    });

    test('are skipped with the same bytes, refused with others, replaced on request, and refused under another name', async () => {
        const site = newSite();
        const folder = await makeFiles({ 'a.csv': flowCsv([{}, { duration: 7 }]), 'b.csv': flowCsv([{}, { duration: 7 }]) });
        const upload = (line: string) => flowlake(`--output json upload --site ${site} ${line}`, { folder });
        const resultOf = async (line: string) => JSON.parse((await upload(line)).stdout)[0].result;
        expect(await resultOf('a.csv')).toBe('added');
        expect(await resultOf('a.csv')).toBe('skipped');
        expect(await resultOf('b.csv')).toBe('refused');
        expect(await resultOf('--allow-duplicate b.csv')).toBe('added');
        await writeFile(join(folder, 'a.csv'), flowCsv([{ duration: 5, timestamp: '01/04/2026' }]));
        expect(await resultOf('a.csv')).toBe('refused');
        expect(await resultOf('--replace a.csv')).toBe('replaced');
        expect(await askCopy(figuresOf(site))).toMatchObject([
            { day: '2026-03-31', flows: 2n, flow_duration_us_sum: 107n },
            { day: '2026-04-01', flows: 1n, flow_duration_us_sum: 5n },
        ]);
    });

    test('are stored and no more with --no-wait, and come into the figures by themselves', async () => {
        const site = newSite();
        const folder = await makeFiles({ 'a.csv': flowCsv([{ duration: 11 }]) });
        const { stdout, exitCode } = await flowlake(`--output json upload --no-wait --site ${site} a.csv`, { folder });
        expect(exitCode).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject([{ result: 'stored', rows_kept: null }]);
        await settled();
        expect(await askCopy(figuresOf(site))).toMatchObject([{ flows: 1n }]);
    });

    test('are in the lake once where two commands upload them at once', async () => {
        const site = newSite();
        const folder = await makeFiles({ 'a.csv': flowCsv([{ duration: 12 }]), 'b.csv': flowCsv([{ duration: 9 }]) });
        const line = `upload --site ${site} a.csv b.csv`;
        const both = await Promise.all([flowlake(line, { folder }), flowlake(line, { folder })]);
        expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
        expect(await askCopy(figuresOf(site))).toMatchObject([{ flows: 2n, flow_duration_us_sum: 21n }]);
    });

    test('go on where they were when the command was killed', async () => {
        const site = newSite();
        const line = flowCsv([{}]).split('\n')[1];
        const text = `${flowCsv([]).trim()}\n${`${line}\n`.repeat(900_000)}`;
        const folder = await makeFiles({ 'large.csv': text });
        const cut = startFlowlake(`upload --site ${site} large.csv`, { folder, environment: { ...environment, HOME: folder } });
        const journal = join(folder, '.cache/flowlake/uploads');
        await until(async () => (await readFile(journal).catch((error) => error.code)) === 'EISDIR', 'the upload has begun');
        await sleep(150);
        cut.kill('SIGKILL');
        await collect(cut);
        const again = await flowlake(`--output json upload --site ${site} large.csv`, { folder });
        expect({ exitCode: again.exitCode, rows: JSON.parse(again.stdout) }).toMatchObject({ exitCode: 0, rows: [{ rows_kept: 900_000 }] });
        expect(await askCopy(figuresOf(site))).toMatchObject([{ flows: 900_000n }]);
    });
});

describe('files that other tools put there', () => {
    const KEYS = ['a b.csv', 'a+b.csv', '100%.csv', 'Zürich – 東京.csv', "it's (1) & more=2.csv", 'deep/er/x.csv'];

    test('come into the figures whatever their names are', async () => {
        const site = newSite();
        await Promise.all(KEYS.map((name, at) => put(`raw/site=${site}/${name}`, flowCsv([{ duration: 10 ** at }]))));
        await settled();
        expect(await askCopy(figuresOf(site))).toMatchObject([{ flows: 6n, flow_duration_us_sum: 111_111n }]);
        const sources = await askCopy(`select source from sources where site = '${site}' order by source`);
        expect(sources.map(({ source }) => source).toSorted()).toEqual(KEYS.map((name) => `raw/site=${site}/${name}`).toSorted());
    });

    test('come in however they are put: in parts, as a copy, with reading options as metadata', async () => {
        const site = newSite();
        const at = { Bucket: bucket, Key: `raw/site=${site}/parts.csv` };
        const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
        const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: flowCsv([{}]) }));
        await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }));
        await s3.send(new CopyObjectCommand({ Bucket: bucket, Key: `raw/site=${site}/copy.csv`, CopySource: `${bucket}/${at.Key}` }));
        const Body = flowCsv([{ timestamp: '02/01/2026', duration: 1 }]);
        const Metadata = { 'date-order': 'mdy', 'duration-unit': 's' };
        await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `raw/site=${site}/options.csv`, Body, Metadata }));
        await settled();
        expect(await askCopy(figuresOf(site))).toMatchObject([
            { day: '2026-02-01', flows: 1n, flow_duration_us_sum: 1_000_000n },
            { day: '2026-03-31', flows: 2n },
        ]);
    });

    test('change no figure when they are told of twice, and leave nothing when they are gone before anybody looks', async () => {
        const site = newSite();
        const key = `raw/site=${site}/a.csv`;
        await put(key, flowCsv([{}]));
        await settled();
        const queue = await queueOf('summarizeQueue');
        const message = { body: sourceMessage({ bucket, key, uploadedAt: new Date() }) };
        await queue.send([
            message,
            message,
            { body: sourceMessage({ bucket, key: `raw/site=${site}/never.csv`, uploadedAt: new Date() }) },
        ]);
        await queue.send([{ body: JSON.stringify({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: bucket }) }]);
        await settled();
        expect(await askCopy(figuresOf(site))).toMatchObject([{ flows: 1n }]);
        // Read once; what found nothing to read made the record newer and no more.
        expect((await readLedger(store, sourceId(key))).record?.version).toMatch(/^1-/);
        expect((await (await queueOf('summarizeDeadLetters')).depth()).waiting).toBe(0);
    });

    test('that are deleted stay in the figures; retract takes them out, and the next upload brings them back', async () => {
        const site = newSite();
        const key = `raw/site=${site}/a.csv`;
        const folder = await makeFolder();
        await put(key, flowCsv([{}]));
        await settled();
        await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
        expect((await flowlake('reconcile', { folder })).stderr).toMatch(/Nothing is undone/);
        expect(await askCopy(figuresOf(site))).toMatchObject([{ flows: 1n }]);
        expect((await flowlake(['retract', key], { folder })).exitCode).toBe(0);
        expect(await askCopy(figuresOf(site))).toEqual([]);
        await put(key, flowCsv([{}]));
        await settled();
        expect(await askCopy(figuresOf(site))).toMatchObject([{ flows: 1n }]);
    });
});

describe('repair', () => {
    test('reconcile sends what was never told, and does it itself with --here', async () => {
        const site = newSite();
        const folder = await makeFolder();
        // Nobody is told of a record that is gone.
        const key = `raw/site=${site}/a.csv`;
        await put(key, flowCsv([{}]));
        await settled();
        const { record } = await readLedger(store, sourceId(key));
        await store.delete(`ledger/${sourceId(key)}.json`);
        const dry = JSON.parse((await flowlake('--output json reconcile --dry-run', { folder })).stdout);
        expect(dry).toContainEqual({ what: 'to summarize', of: key });
        const sent = JSON.parse((await flowlake('--output json reconcile', { folder })).stdout);
        expect(sent).toContainEqual({ what: 'sent to be summarized', of: key });
        await settled();
        const again = (await readLedger(store, sourceId(key))).record;
        expect(again).toMatchObject({ state: 'done', etag: record?.etag, rows_kept: 1, commits: 1 });
        expect(again?.version).not.toBe(record?.version);

        await store.delete(`ledger/${sourceId(key)}.json`);
        const done = JSON.parse((await flowlake('--output json reconcile --here', { folder })).stdout);
        expect(done).toContainEqual({ what: 'summarized', of: key });
        expect(await askCopy(figuresOf(site))).toMatchObject([{ flows: 1n }]);
        expect((await flowlake('reconcile', { folder })).stderr).toMatch(/Nothing is undone/);
    });

    test('a message that nobody can work off becomes a dead letter, status asks for a person, and redrive brings it back', async () => {
        const folder = await makeFolder();
        const letters = await queueOf('summarizeDeadLetters');
        expect((await flowlake('status', { folder })).exitCode).toBe(0);
        await letters.send([{ body: sourceMessage({ bucket, key: 'raw/lost.csv', uploadedAt: new Date() }) }]);
        const status = await flowlake('status', { folder });
        expect(status.exitCode).toBe(1);
        expect(status.stderr).toMatch(/1 summarize message could not be worked off.*flowlake redrive/);
        const queues = JSON.parse((await flowlake('--output json status --queues', { folder })).stdout);
        expect(queues).toMatchObject([
            { queue: 'summarize', dead_letters: 1 },
            { queue: 'consolidate', dead_letters: 0 },
        ]);
        const redriven = JSON.parse((await flowlake('--output json redrive', { folder })).stdout);
        expect(redriven).toEqual([
            { queue: 'summarize', redriven: 1 },
            { queue: 'consolidate', redriven: 0 },
        ]);
        await settled();
        expect((await letters.depth()).waiting).toBe(0);
        expect((await flowlake('status', { folder })).exitCode).toBe(0);
    });
});
