/**
 * The SQL of the package, the same text for every engine: what lies in `sql/<kind>/views` and `sql/<kind>/queries`. A new file there is all
 * that a new view or query needs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { kinds } from '#lake/kinds';
import { packageRoot } from '#lake/package-root';

export interface SqlFiles {
    /** The standing questions by name, each after those it reads. */
    views: ReadonlyMap<string, SqlFile>;
    /** The questions with parameters by name; the head of each file lists the parameters. */
    queries: ReadonlyMap<string, SqlFile>;
}

export interface SqlFile {
    /** Path below the folder of all kinds: `flows/views/day_totals.sql`. */
    path: string;
    text: string;
}

/**
 * What lies in the folders of all kinds below `folder`, which ends with a slash. A kind need not have both folders, or any.
 * @throws Error where two kinds have a file of one name, or where views read each other in a circle
 */
export function findSqlFiles(folder: URL): SqlFiles {
    const ofKinds = foldersIn(folder);
    const read = (what: 'views' | 'queries') => byName(ofKinds.flatMap((kind) => sqlIn(folder, `${kind}/${what}/`)));
    return { views: inReadingOrder(read('views')), queries: read('queries') };
}

/** Names of the relations that a select reads. Its own steps are among them, in so far as later steps read them. */
export function relationsReadBy(sql: string): Set<string> {
    const plain = sql.replaceAll(/--.*/g, '');
    return new Set([...plain.matchAll(/\b(?:from|join)\s+(\w+)/gi)].map(([, name = '']) => name.toLowerCase()));
}

const { views, queries } = findSqlFiles(new URL('sql/', packageRoot));

/** The standing questions, each after those it reads. */
export const VIEW_NAMES: readonly string[] = [...views.keys()];

/** The questions with parameters. */
export const QUERY_NAMES: readonly string[] = [...queries.keys()];

/** What a question with parameters is called: its file in `sql/<kind>/queries`, without the ending. */
export type QueryName = string;

/** The select that the view is made of. @throws Error where there is no such view */
export function readView(name: string): string {
    return find(name, { files: views, what: 'view' }).text;
}

/** File of the view's select in the package: `sql/flows/views/day_totals.sql`. @throws Error where there is no such view */
export function pathOfView(name: string): string {
    return `sql/${find(name, { files: views, what: 'view' }).path}`;
}

/**
 * The statement, its parameters standing as `?`: in a `where`, the only place that Athena's manual allows
 * (https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html, as of November 2026; Trino itself takes them
 * anywhere). Where the file says `view NAME over RELATION`, the text of that view stands, reading RELATION instead of the merged table: a
 * filter on the view's days would not pass its window function, and days that cannot count would be read.
 * @throws Error where there is no such query
 */
export function readQuery(name: QueryName): string {
    return find(name, { files: queries, what: 'query' }).text.replaceAll(
        /^ *view (\w+) over (\w+)$/gm,
        (_, view: string, relation: string) => readView(view).replaceAll(FROM_MERGED, `from ${relation}`).trimEnd(),
    );
}

const FROM_MERGED = new RegExp(`\\bfrom (?:${kinds.map(({ merged }) => merged.name).join('|')})\\b`, 'g');

function find(name: string, { files, what }: { files: ReadonlyMap<string, SqlFile>; what: string }): SqlFile {
    const file = files.get(name);
    if (file === undefined) {
        throw new Error(`There is no ${what} ${name} in sql/: these are there: ${[...files.keys()].join(', ')}`);
    }
    return file;
}

function foldersIn(folder: URL): string[] {
    return readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort();
}

function sqlIn(folder: URL, path: string): SqlFile[] {
    try {
        return readdirSync(new URL(path, folder))
            .filter((file) => file.endsWith('.sql'))
            .sort()
            .map((file) => ({ path: path + file, text: readFileSync(new URL(path + file, folder), 'utf8') }));
    } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
            return [];
        }
        throw error;
    }
}

/** The files by name. @throws Error where a name is there twice: SQL names a relation without its kind */
function byName(files: readonly SqlFile[]): Map<string, SqlFile> {
    const named = new Map<string, SqlFile>();
    for (const file of files) {
        const name = basename(file.path, '.sql');
        const other = named.get(name);
        if (other) {
            throw new Error(`sql/${other.path} and sql/${file.path} have one name: names of SQL files are unique over all kinds`);
        }
        named.set(name, file);
    }
    return named;
}

/** The files, each after those it reads. @throws Error for a circle */
function inReadingOrder(files: ReadonlyMap<string, SqlFile>): Map<string, SqlFile> {
    const ordered = new Map<string, SqlFile>();
    const visit = (name: string, file: SqlFile, readers: readonly string[]): void => {
        if (readers.includes(name)) {
            throw new Error(`Views read each other in a circle: ${[...readers, name].join(' reads ')}`);
        }
        for (const read of relationsReadBy(file.text)) {
            const other = files.get(read);
            if (other && !ordered.has(read)) {
                visit(read, other, [...readers, name]);
            }
        }
        ordered.set(name, file);
    };
    for (const [name, file] of files) {
        if (!ordered.has(name)) {
            visit(name, file, []);
        }
    }
    return ordered;
}
