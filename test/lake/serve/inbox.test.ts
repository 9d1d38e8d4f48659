/** The inbox of one machine: what was answered is on the disk, in order, under a number that no other message gets. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MAX_PAYLOAD_BYTES } from '#lake/live/inbox';
import { type Inbox, type InboxOptions, openInbox } from '#lake/serve/inbox';
import { newMessage } from '#test/support/chain-messages';
import { makeFolder } from '#test/support/temporary';

const NOW = new Date('2026-01-05T10:00:00Z');
const opened: Inbox[] = [];

async function open(file: string, options: Partial<InboxOptions> = {}): Promise<Inbox> {
    const inbox = await openInbox(file, { now: () => NOW, endOfChain: async () => '0', ...options });
    opened.push(inbox);
    return inbox;
}

async function newFile(): Promise<string> {
    return join(await makeFolder(), 'live', 'inbox.sqlite');
}

function appendAll(inbox: Inbox, count: number, from = 1): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, (_, at) => inbox.append(newMessage(from + at))));
}

const numbersFrom = (first: number, count: number) => Array.from({ length: count }, (_, at) => String(first + at));

const everything = (inbox: Inbox, after = '0') => inbox.read({ after, maxMessages: 1e9, maxBytes: 1e9 });

afterEach(async () => {
    await Promise.all(opened.splice(0).map((inbox) => inbox.close()));
});

describe('a message', () => {
    it('comes out as it went in, with the number that its sender was told, also after the file was opened again', async () => {
        const file = await newFile();
        const messages = [
            newMessage(1),
            newMessage(2, { payload: Buffer.from([0, 255, 254]), isRetained: true, session: 's', headers: { a: 'b' }, key: 'k' }),
            newMessage(3, { payload: Buffer.alloc(0), device: undefined, profile: undefined, site: undefined }),
            // A field that a later version adds is kept too.
            newMessage(4, { refused: 'a foreign topic' } as object),
        ];
        const inbox = await open(file);
        const sequences = await Promise.all(messages.map((message) => inbox.append(message)));
        expect(sequences).toEqual(['1', '2', '3', '4']);
        const expected = messages.map((message, at) => ({ ...message, sequence: sequences[at] }));
        expect(everything(inbox)).toEqual(expected);
        await inbox.close();
        expect(everything(await open(file))).toEqual(expected);
    });

    it('is answered in the order of the calls, and not before it can be read', async () => {
        const inbox = await open(await newFile());
        const answered: string[] = [];
        const all = Array.from({ length: 500 }, async (_, at) => {
            const sequence = await inbox.append(newMessage(at + 1));
            expect(inbox.read({ after: String(Number(sequence) - 1), maxMessages: 1, maxBytes: 1 })).toMatchObject([{ sequence }]);
            answered.push(sequence);
        });
        expect(inbox.last()).toBe('0');
        await Promise.all(all);
        expect(answered).toEqual(numbersFrom(1, 500));
    });

    it('of more than 128 KiB is refused, and holds up no other', async () => {
        const inbox = await open(await newFile());
        const [large, small] = await Promise.allSettled([
            inbox.append(newMessage(1, { payload: Buffer.alloc(MAX_PAYLOAD_BYTES + 1) })),
            inbox.append(newMessage(2, { payload: Buffer.alloc(MAX_PAYLOAD_BYTES) })),
        ]);
        expect(large).toMatchObject({
            status: 'rejected',
            reason: { name: 'UsageError', message: 'A message has 131073 bytes, of 131072' },
        });
        expect(small).toEqual({ status: 'fulfilled', value: '1' });
    });

    it('is refused once the inbox is closed; what waited is stored', async () => {
        const file = await newFile();
        const inbox = await open(file);
        const waiting = appendAll(inbox, 3);
        await inbox.close();
        await inbox.close();
        expect(await waiting).toEqual(['1', '2', '3']);
        await expect(inbox.append(newMessage(4))).rejects.toThrow('is closed');
        expect((await open(file)).last()).toBe('3');
    });
});

describe('messages that wait together', () => {
    it('are one commit, and listeners hear of it once', async () => {
        const inbox = await open(await newFile());
        const heard: string[] = [];
        const end = inbox.onAppended(() => heard.push(inbox.last()));
        await appendAll(inbox, 1000);
        await appendAll(inbox, 2, 1001);
        expect(heard).toEqual(['1000', '1002']);
        end();
        await appendAll(inbox, 1, 1003);
        expect(heard).toHaveLength(2);
    });

    it('are several commits where they are many bytes', async () => {
        const inbox = await open(await newFile());
        const heard: string[] = [];
        inbox.onAppended(() => heard.push(inbox.last()));
        const payload = Buffer.alloc(MAX_PAYLOAD_BYTES);
        await Promise.all(Array.from({ length: 200 }, (_, at) => inbox.append(newMessage(at + 1, { payload }))));
        expect(heard).toEqual(['127', '200']);
    });

    it('are refused where they are more than may wait for the disk, and taken again once it has kept up', async () => {
        const inbox = await open(await newFile());
        const payload = Buffer.alloc(MAX_PAYLOAD_BYTES);
        const outcomes = await Promise.allSettled(Array.from({ length: 600 }, (_, at) => inbox.append(newMessage(at + 1, { payload }))));
        const stored = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
        expect(stored).toEqual(numbersFrom(1, 510));
        expect(outcomes[510]).toMatchObject({
            reason: { name: 'StorageError', message: expect.stringContaining('the disk does not keep up') },
        });
        expect(await inbox.append(newMessage(1))).toBe('511');
    });
});

describe('reading', () => {
    it('goes on behind a number, up to so many messages or bytes, and gives one at least', async () => {
        const inbox = await open(await newFile());
        await Promise.all([1, 2, 3].map((n) => inbox.append(newMessage(n, { payload: Buffer.alloc(1000) }))));
        const sequences = (options: object) =>
            inbox.read({ after: '0', maxMessages: 9, maxBytes: 1e9, ...options }).map(({ sequence }) => sequence);
        expect(sequences({})).toEqual(['1', '2', '3']);
        expect(sequences({ maxMessages: 2 })).toEqual(['1', '2']);
        expect(sequences({ after: '2' })).toEqual(['3']);
        expect(sequences({ after: '3' })).toEqual([]);
        expect(sequences({ maxBytes: 1 })).toEqual(['1']);
        expect(sequences({ maxBytes: 2500, after: '1' })).toEqual(['2', '3']);
    });
});

describe('numbers', () => {
    it('go on after all messages were discarded and the file was opened again', async () => {
        const file = await newFile();
        const inbox = await open(file);
        const { stream } = inbox;
        await appendAll(inbox, 3);
        await inbox.discardUpTo('3');
        expect(everything(inbox)).toEqual([]);
        expect([inbox.discardedTo(), inbox.last()]).toEqual(['3', '3']);
        await inbox.close();
        const again = await open(file, { endOfChain: async () => '3' });
        expect([again.discardedTo(), again.last(), again.stream]).toEqual(['3', '3', stream]);
        expect(await appendAll(again, 2)).toEqual(['4', '5']);
    });

    it('begin again only under another stream: where the chain is beyond what the file knows, as of one that was restored', async () => {
        const file = await newFile();
        const inbox = await open(file);
        const { stream } = inbox;
        await appendAll(inbox, 2);
        await inbox.close();
        await cp(file, `${file}.backup`);
        const lost = await open(file);
        await appendAll(lost, 5);
        await lost.close();
        await cp(`${file}.backup`, file);

        const replaced: unknown[] = [];
        const asked: string[] = [];
        const anew = await open(file, {
            onReplaced: (what) => replaced.push(what),
            endOfChain: async (of) => {
                asked.push(of);
                return '7';
            },
        });
        expect(asked).toEqual([stream]);
        expect(replaced).toEqual([{ stream, last: '2', endOfChain: '7', file: `${file}.of-${stream}` }]);
        expect(anew.stream).not.toBe(stream);
        expect(await appendAll(anew, 1)).toEqual(['1']);
        const aside = await open(`${file}.of-${stream}`);
        expect(everything(aside)).toHaveLength(2);

        // Restored once more: the file that was put aside first stays.
        await anew.close();
        await aside.close();
        await cp(`${file}.backup`, file);
        await open(file, { endOfChain: async () => '7' });
        expect((await readdir(join(file, '..'))).filter((name) => /\.of-[^.]+$/.test(name)).sort()).toEqual([
            `inbox.sqlite.of-${stream}`,
            `inbox.sqlite.of-${stream}-2`,
        ]);
    });

    it('are of a stream that tells when it began, and is like no other', async () => {
        const [one, other] = [await open(await newFile()), await open(await newFile())];
        expect(one.stream).toMatch(/^20260105T100000Z-[0-9a-f]{8}$/);
        expect(other.stream).not.toBe(one.stream);
    });

    it('cannot be asked for where the end of the chain cannot be told: the file stays as it is, and free', async () => {
        const file = await newFile();
        const { stream } = await open(file);
        await opened.splice(0)[0]?.close();
        const endOfChain = () => Promise.reject(new Error('the store does not answer'));
        await expect(openInbox(file, { now: () => NOW, endOfChain })).rejects.toThrow('the store does not answer');
        expect((await open(file)).stream).toBe(stream);
    });
});

describe('discarding', () => {
    it('takes steps, between which others have their turns, and never what is behind the number', async () => {
        const inbox = await open(await newFile());
        await appendAll(inbox, 12_000);
        const steps = new Set([inbox.discardedTo()]);
        let isDone = false;
        const appended: string[] = [];
        const watching = (async () => {
            while (!isDone) {
                appended.push(await inbox.append(newMessage(1)));
                steps.add(inbox.discardedTo());
            }
        })();
        await inbox.discardUpTo('11000');
        isDone = true;
        await watching;
        expect([...steps]).toEqual(['0', '5000', '10000', '11000']);
        expect(inbox.last()).toBe(String(12_000 + appended.length));
        expect(everything(inbox).map(({ sequence }) => sequence)).toEqual([...numbersFrom(11_001, 1000), ...appended]);
        const last = inbox.last();
        await inbox.discardUpTo('99999999');
        expect([inbox.discardedTo(), inbox.last(), everything(inbox)]).toEqual([last, last, []]);
        expect(await appendAll(inbox, 1)).toEqual(numbersFrom(Number(last) + 1, 1));
    });

    it('takes smaller steps of large messages', async () => {
        const inbox = await open(await newFile());
        await Promise.all(
            Array.from({ length: 150 }, (_, at) => inbox.append(newMessage(at, { payload: Buffer.alloc(MAX_PAYLOAD_BYTES) }))),
        );
        const discarding = inbox.discardUpTo('150');
        const seen = new Set<string>();
        while (inbox.discardedTo() !== '150') {
            seen.add(inbox.discardedTo());
            await nextTurn();
        }
        await discarding;
        expect([...seen]).toEqual(['0', '64', '128']);
    });

    it('frees room for what comes next, and the log does not grow with what came', async () => {
        const file = await newFile();
        const inbox = await open(file);
        const sizes: number[] = [];
        for (let round = 0; round < 12; round += 1) {
            await appendAll(inbox, 4000);
            await inbox.discardUpTo(inbox.last());
            sizes.push(statSync(file).size + statSync(`${file}-wal`).size);
        }
        expect(Math.max(...sizes.slice(3))).toBeLessThanOrEqual(Math.max(...sizes.slice(0, 3)) * 1.5);
    });
});

describe('a full disk', () => {
    it('refuses exactly what does not fit, says so, and takes messages again once there is room', async () => {
        const inbox = await open(await newFile(), { maxBytes: 1 << 20 });
        const stored = await appendAll(inbox, 100);
        expect(inbox.problem()).toBeUndefined();
        const large = Array.from({ length: 20 }, (_, at) => inbox.append(newMessage(at, { payload: Buffer.alloc(100_000) })));
        const outcomes = await Promise.allSettled(large);
        expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']));
        expect(outcomes[0]).toMatchObject({
            reason: { name: 'StorageError', message: expect.stringContaining('cannot store messages: the disk is full') },
        });
        expect(inbox.problem()).toEqual({ message: expect.stringContaining('the disk is full'), since: NOW });
        expect(inbox.last()).toBe('100');
        expect(everything(inbox).map(({ sequence }) => sequence)).toEqual(stored);

        expect(await appendAll(inbox, 3)).toEqual(['101', '102', '103']);
        expect(inbox.problem()).toBeUndefined();
    });
});

describe('a file that is taken away while it is open', () => {
    // What is written into it is on no disk once the process ends.
    it.each(['', '-wal'])(
        'takes nothing more until it lies there again, and what was acknowledged can be read: inbox.sqlite%s',
        async (part) => {
            const file = await newFile();
            const inbox = await open(file);
            await appendAll(inbox, 2);
            renameSync(`${file}${part}`, `${file}.aside`);
            await expect(inbox.append(newMessage(3))).rejects.toThrow(
                `${file}${part} was removed, moved or replaced while it was open. Stop serve`,
            );
            expect(inbox.problem()).toMatchObject({ since: NOW });
            writeFileSync(`${file}${part}`, '');
            await expect(inbox.append(newMessage(3))).rejects.toThrow('was removed, moved or replaced');
            expect(everything(inbox).map(({ sequence }) => sequence)).toEqual(['1', '2']);
            renameSync(`${file}.aside`, `${file}${part}`);
            expect(await appendAll(inbox, 1)).toEqual(['3']);
            expect(inbox.problem()).toBeUndefined();
        },
    );
});

describe('a thread that ends', () => {
    it('has what waits for it refused, and is followed by another', async () => {
        const file = await newFile();
        const inbox = await open(file);
        // The thread opens the file by itself, and finds a folder in its place.
        renameSync(file, `${file}.aside`);
        mkdirSync(file);
        const outcomes = await Promise.allSettled([inbox.append(newMessage(1)), inbox.append(newMessage(2))]);
        const refused = {
            status: 'rejected',
            reason: { name: 'StorageError', message: expect.stringContaining('a folder stands where a file is needed') },
        };
        expect(outcomes).toMatchObject([refused, refused]);
        expect(inbox.problem()).toMatchObject({ since: NOW });
        rmdirSync(file);
        renameSync(`${file}.aside`, file);
        expect(await appendAll(inbox, 2)).toEqual(['1', '2']);
        expect(inbox.problem()).toBeUndefined();
    });
});

describe('opening', () => {
    it('is refused while the file is open elsewhere', async () => {
        const file = await newFile();
        await open(file);
        await expect(open(file)).rejects.toThrow(`cannot open the inbox ${file}: another process has it open; one flowlake serves a lake`);
    });

    it('is refused for what is no inbox, or damaged, and leaves the file as it is', async () => {
        const file = await newFile();
        await (await open(file)).close();
        const garbage = Buffer.alloc(8192, 'garbage ');
        writeFileSync(file, garbage);
        await expect(open(file)).rejects.toThrow('it is no database');
        expect(statSync(file).size).toBe(garbage.length);
    });

    it('is refused for a form of a newer version', async () => {
        const file = await newFile();
        await (await open(file)).close();
        const database = new DatabaseSync(file);
        database.exec('pragma user_version = 3');
        database.close();
        await expect(open(file)).rejects.toThrow('was written by a newer flowlake (form 3, this one knows 2)');
    });

    it('reads what stands before a damaged page, and then says what to do', async () => {
        const file = await newFile();
        const inbox = await open(file);
        await appendAll(inbox, 400);
        await inbox.close();
        const bytes = readFileSync(file);
        const middle = Math.floor(bytes.length / 8192) * 4096;
        writeFileSync(file, bytes.fill(0xa5, middle, middle + 64));
        const damaged = await open(file);
        const seen: string[] = [];
        const readOn = (): void => {
            for (let more = true; more; ) {
                const some = damaged.read({ after: seen.at(-1) ?? '0', maxMessages: 50, maxBytes: 1e9 });
                seen.push(...some.map(({ sequence }) => sequence));
                more = some.length > 0;
            }
        };
        expect(readOn).toThrow(
            /cannot read the inbox .*: it is damaged. It may hold messages .* bring it back from a backup, or move it away/,
        );
        expect(seen.length).toBeGreaterThan(0);
        expect(seen).toEqual(seen.map((_, at) => `${at + 1}`));
    });

    it('puts a message aside whose facts a damaged disk has left unreadable', async () => {
        const file = await newFile();
        const inbox = await open(file);
        await appendAll(inbox, 3);
        await inbox.close();
        const database = new DatabaseSync(file);
        database.exec(`update messages set facts = '{"arrivedMs":17' where id = 2`);
        database.close();
        const again = await open(file);
        const messages = again.read({ after: '0', maxMessages: 10, maxBytes: 1e9 });
        expect(messages.map(({ sequence }) => sequence)).toEqual(['1', '2', '3']);
        expect(messages[1]).toMatchObject({
            refused: 'the inbox is damaged where it says what this message is: "{\\"arrivedMs\\":17"',
            payload: messages[1]?.payload,
        });
    });

    it('makes files that only their owner may read', async () => {
        const file = await newFile();
        const inbox = await open(file);
        await appendAll(inbox, 1);
        for (const name of [file, `${file}-wal`, `${file}.lock`]) {
            expect(existsSync(name) && (statSync(name).mode & 0o777).toString(8)).toBe('600');
        }
    });
});
