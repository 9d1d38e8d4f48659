/** The lines of docs/format.md that say how other readers come to wrong figures and to exact ones; and what came of running them. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { DAFT_PYTHON, PYTHON, programOf } from './readers.ts';

const PAGE = readFileSync(new URL('../../../docs/format.md', import.meta.url), 'utf8');

/** What the page calls the lake. */
const LAKE = 'my-lake';

export const TRAPS = ['wrapped at 64 bits', 'rounded to a double', 'not there', 'in any order', 'an error'] as const;

export type Trap = (typeof TRAPS)[number];

/** One row of the page's tables. */
export interface PageLine {
    /** Name of the reader, with which the row begins. */
    reader: string;
    language: 'Python' | 'SQL';
    /** What is run before, or what `days` stands for in SQL. */
    days: string;
    wrong: string;
    trap: Trap;
    right: string;
}

/** Values as text, or why there are none. */
export type LineAnswer = { values: string[]; error?: undefined } | { values?: undefined; error: string };

/** All rows, in the order of the page. @throws where a row says something of a kind that is not known */
export function readPageLines(): PageLine[] {
    return (['Python', 'SQL'] as const).flatMap((language) => {
        const [, table = ''] = PAGE.split(`\n| in ${language} | `)[1]?.match(/^.*\n.*\n((?:\|.*\n)+)/) ?? [];
        return table
            .trimEnd()
            .split('\n')
            .map((row): PageLine => {
                const [reader = '', days = '', wrong = '', said = '', right = ''] = row.slice(1, -1).split('|').map(bare);
                const trap = TRAPS.find((each) => each === said);
                if (trap === undefined || wrong === '' || right === '') {
                    throw new Error(`docs/format.md: ${row}`);
                }
                return { reader, language, days, wrong, trap, right };
            });
    });
}

/** The page's program for hyparquet. */
export function readPageScript(folder: string): string {
    return (PAGE.match(/```js\n(.*?)```/s)?.[1] ?? '').replaceAll(LAKE, folder);
}

/** Runs either side of a line of a reader that lives in Python over the lake in `folder`. */
export async function runLine({ reader, language, days }: PageLine, code: string, { folder }: { folder: string }): Promise<LineAnswer> {
    const how = language === 'Python' ? 'python' : reader.toLowerCase();
    const python = reader === 'Daft' ? DAFT_PYTHON : PYTHON;
    const child = spawn(python, ['-B', programOf('run_lines.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(JSON.stringify([{ how, days: days.replaceAll(LAKE, folder), code: code.replaceAll(LAKE, folder) }]));
    const [answer] = JSON.parse(await text(child.stdout));
    return answer;
}

function bare(cell: string): string {
    return cell.trim().replace(/^`(.*)`$/, '$1');
}
