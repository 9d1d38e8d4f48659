/** What docs/profiles.md shows is so: its profiles have no fault, and its messages give the tables below them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { faultsOf, parseProfile } from '#lake/telemetry/profile/profile';
import { tryProfile } from '#lake/telemetry/profile/try-profile';

const PAGE = readFileSync(new URL('../docs/profiles.md', import.meta.url), 'utf8');
const ARRIVED = Date.parse('2026-01-05T10:00:02.000Z');

/** JSON blocks and tables of readings of a section, in their order. */
function partsOf(section: string): ({ json: any } | { table: string[] })[] {
    return [...section.matchAll(/```json\n([\s\S]*?)```|\| device \| metric \|.*\n\| --- .*\n((?:\|.*\n)+)/g)].map(([, json, table]) =>
        json === undefined ? { table: (table ?? '').trim().split('\n') } : { json: JSON.parse(json) },
    );
}

const sections = PAGE.split(/^## /m).filter((section) => /^(First|Second|Third) device/.test(section));

test('there are three devices', () => {
    expect(sections).toHaveLength(3);
});

describe.each(sections.map((section) => [section.split('\n')[0] as string, section]))('%s', (_, section) => {
    test('gives the readings that its tables show', () => {
        let payload: any;
        let profile: any;
        let tables = 0;
        for (const part of partsOf(section)) {
            if ('table' in part) {
                tables++;
                const { lines } = tryProfile(parseProfile(profile), {
                    payload: Buffer.from(JSON.stringify(payload).replace('"temp":21.3,', '"temp":21.30,').replace(':185}', ':185.0}')),
                    arrivedMs: ARRIVED,
                    topic: 'tele/boiler-room/SENSOR',
                });
                const rows = lines.map(({ device, metric, at, value, unit, note }) =>
                    `| ${[device, metric, at, value, unit, note].map((cell) => cell ?? '').join(' | ')} |`.replaceAll(/ {2,}/g, ' '),
                );
                expect(rows).toEqual(part.table);
            } else if (part.json.metrics === undefined) {
                payload = part.json;
            } else {
                profile = part.json;
                expect(faultsOf(profile)).toEqual([]);
            }
        }
        expect(tables).toBeGreaterThan(0);
    });
});

test('an empty profile is told what the page says', () => {
    const text = /```text\n([\s\S]*?)```/.exec(PAGE)?.[1]?.trim();
    expect(() => parseProfile({})).toThrow(text);
});

test('what the table of habits says to write is allowed', () => {
    const base = { name: 'x', device: { path: 'd' }, time: 'arrival' };
    const rows = [...PAGE.slice(PAGE.indexOf('## What makers do')).matchAll(/^\| (?!habit|---)(.+?) \| (.+) \|$/gm)];
    expect(rows.length).toBeGreaterThan(15);
    const TOP = new Set(['topics', 'each', 'device', 'ignore', 'decoder', 'unpack', 'identity', 'historical']);
    for (const [, habit = '', written = ''] of rows) {
        const words: Record<string, unknown> = {};
        for (const [, code = ''] of written.matchAll(/`("[a-zA-Z]+": [^`]+)`/g)) {
            Object.assign(words, JSON.parse(`{${code}}`));
        }
        const whole = [...written.matchAll(/`(\{[^`]*\})`/g)].map(([, code = '']) => JSON.parse(code));
        const top = Object.fromEntries(Object.entries(words).filter(([word]) => TOP.has(word) && word !== 'historical'));
        const own = Object.fromEntries(Object.entries(words).filter(([word]) => !TOP.has(word) || word === 'historical'));
        const isNumber = own.kind === undefined;
        const metric = {
            name: 'm',
            ...(own.path === undefined && own.from === undefined ? { path: 'p' } : {}),
            ...(isNumber ? { digits: 2, unit: 'Cel' } : {}),
            ...own,
        };
        expect([habit, faultsOf({ ...base, ...top, metrics: [metric, ...whole] })]).toEqual([habit, []]);
    }
});
