/** A lake in a directory that the built program works in, and what must hold of it whenever nothing is at work. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findUndoneWork } from '#lake/commit/reconcile';
import { readLedger } from '#lake/ledger';
import { sourceId } from '#lake/source-id';
import { openDirectoryStore } from '#lake/store/directory';
import { findWrongAccounts } from '#test/support/accounts';
import { type Ran, runFlowlake } from '#test/support/flowlake';
import { readFigures } from '#test/support/small-files';
import { makeFolder } from '#test/support/temporary';
import { recount } from './flow-texts.ts';

/** What a name may come to: the digest of a text, or one of these. */
export type State = 'absent' | 'retracted' | (string & {});

export interface TextLake {
    /** Folder that the program runs in; the lake is in `lake` below it. */
    folder: string;
    directory: string;
    /** `through` is a command that runs the program; `as` the number of the user who does. */
    run(
        words: readonly string[],
        options?: { environment?: Record<string, string>; through?: readonly string[]; as?: number },
    ): Promise<Ran>;
    /** Writes texts into a folder of their own, by file name (`a.csv`, `site=berlin/a.csv`), and returns the folder. */
    write(texts: Readonly<Record<string, string>>): Promise<string>;
    /** The digest that `states` knows a text by. */
    digestOf(text: string): string;
    /** What has become of each name. A text of which the raw file was pruned is known by its ledger record. */
    states(names: readonly string[]): Promise<Map<string, State>>;
    /**
     * Throws unless all is as if nothing had ever gone wrong: figures as a count of the texts that are in raw, ledger and objects in
     * accord, nothing left to do, no file left that was being written, `verify` and `status` content.
     */
    assertRight(names: readonly string[], options?: { isCopied?: boolean }): Promise<void>;
}

const LAKE = ['--lake', 'lake'];

/** A lake in `folder`, or in a new one that goes with the test file. */
export async function openTextLake({ folder: given }: { folder?: string } = {}): Promise<TextLake> {
    const folder = given ?? (await makeFolder());
    const directory = join(folder, 'lake');
    const store = openDirectoryStore(directory);
    const textOf = new Map<string, string>();
    const sources = await makeFolder();
    let written = 0;

    const run: TextLake['run'] = (words, options = {}) => runFlowlake([...LAKE, ...words], { folder, ...options });

    async function states(names: readonly string[]): Promise<Map<string, State>> {
        const found = new Map<string, State>();
        for (const name of names) {
            const { record } = await readLedger(store, sourceId(`raw/${name}`));
            const raw = await readFile(join(directory, 'raw', name)).catch(() => undefined);
            found.set(name, record?.state === 'retracted' ? 'retracted' : raw ? digest(raw) : (record?.etag ?? 'absent'));
        }
        return found;
    }

    async function findWrong(names: readonly string[], { isCopied }: { isCopied: boolean }): Promise<string | undefined> {
        const texts = [...(await states(names))].flatMap(([name, state]) => {
            const text = textOf.get(state);
            return text === undefined ? [] : [{ text, site: /^site=([^/]+)\//.exec(name)?.[1] ?? 'main' }];
        });
        const [wanted, found] = [recount(texts), await readFigures(store)];
        const wrong = [...new Set([...wanted.keys(), ...found.keys()])].filter((key) => wanted.get(key) !== found.get(key));
        if (wrong.length > 0) {
            return `${wrong.length} of ${wanted.size} figures differ: ${wrong[0]} is ${found.get(wrong[0] ?? '')}, not ${wanted.get(wrong[0] ?? '')}`;
        }
        const accounts = await findWrongAccounts(store);
        if (accounts !== undefined) {
            return accounts;
        }
        for (const part of ['tmp', 'running']) {
            // A command that is killed within its very first write leaves an empty file that says nothing of anybody, for a day.
            const left = (await readdir(join(directory, '.flowlake', part)).catch(() => [])).filter(
                (name) => statSync(join(directory, '.flowlake', part, name)).size > 0,
            );
            if (left.length > 0) {
                return `left in .flowlake/${part}: ${left}`;
            }
        }
        for (const words of [['verify', '--allow-pruned'], ['status']]) {
            const { exitCode, stdout, stderr } = await run(words);
            if (exitCode !== 0) {
                return `${words[0]} ended with ${exitCode}: ${stdout}${stderr}`;
            }
        }
        return isCopied ? findWrongCopy(directory) : undefined;
    }

    return {
        folder,
        directory,
        run,
        async write(texts) {
            written += 1;
            const into = join(sources, String(written));
            for (const [name, text] of Object.entries(texts)) {
                await mkdir(dirname(join(into, name)), { recursive: true });
                await writeFile(join(into, name), text);
                textOf.set(digest(text), text);
            }
            return into;
        },
        digestOf: digest,
        states,
        async assertRight(names, { isCopied = false } = {}) {
            const wrong = await findWrong(names, { isCopied });
            if (wrong !== undefined) {
                throw new Error(wrong);
            }
        },
    };
}

/** A copy has other inodes and times: what is known of raw files must be found again by their bytes. */
async function findWrongCopy(directory: string): Promise<string | undefined> {
    const copy = `${directory}-copy`;
    await cp(directory, copy, { recursive: true });
    const undone = await findUndoneWork(openDirectoryStore(copy), { now: new Date() });
    await rm(copy, { recursive: true });
    const count = Object.values(undone).flat().length;
    return count === 0 ? undefined : `in a copy of the lake there is something to do: ${JSON.stringify(undone)}`;
}

function digest(text: string | Uint8Array): string {
    return createHash('sha256').update(text).digest('hex');
}
