/** Opens a lake from where it is. Each of its parts is opened when it is first asked for: the adapters are loaded then. */
import { stat } from 'node:fs/promises';
import { NotFoundError, StorageError } from '#lake/errors';
import { viewsOfInputs } from '#lake/input-views';
import { once } from '#lake/once';
import type { DirectoryLake, Lake, LakeLocation, OpenOptions } from './lake.ts';
import { openAnswers } from './open-answers.ts';

/** Opens a lake; whoever opens it closes it. @throws NotFoundError where there is no such directory, StorageError for a file */
export async function openLake(location: LakeLocation, options: OpenOptions): Promise<Lake> {
    if (location.kind === 's3') {
        const { openBucketLake } = await import('./open-bucket-lake.ts');
        return openBucketLake(location.bucket, options);
    }
    const { name, directory } = location;
    const found = await look(directory);
    if (found === 'file') {
        throw new StorageError(`${name} is a file; a lake is a directory`);
    }
    if (found === 'nothing' && !options.mayBeNew) {
        throw new NotFoundError(`No lake at ${name}`);
    }
    const { assertNoLinksIn, WORK_FOLDER } = await import('#lake/store/directory-links');
    await assertNoLinksIn(WORK_FOLDER, directory);
    return openDirectoryLake(directory, options);
}

function openDirectoryLake(directory: string, { signal }: OpenOptions): DirectoryLake {
    const store = once(() => import('#lake/store/directory').then(({ openDirectoryStore }) => openDirectoryStore(directory)));
    const moreViews = async (words: ReadonlySet<string>) => viewsOfInputs(await store(), words);
    return {
        kind: 'directory',
        directory,
        store,
        ...openAnswers(() => import('#lake/query/duckdb').then(({ openDuckDb }) => openDuckDb({ directory, moreViews })), {
            signal,
            answer: (question) => import('#lake/query/pass').then(({ answerByPass }) => answerByPass(directory, question)),
        }),
    };
}

async function look(path: string): Promise<'directory' | 'file' | 'nothing'> {
    try {
        return (await stat(path)).isDirectory() ? 'directory' : 'file';
    } catch (error) {
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
            return 'nothing';
        }
        throw new StorageError(`Cannot look into ${path}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
}
