/** docs/operations.md says of every alarm what to do. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { GUARDED, ofType, type Resources, synthesize, synthesizeTelemetry } from './synthesized.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

/** The functions whose `-errors` and `-throttles` share a row. */
const [, listed = ''] = /^\| `<function>-errors`, `<function>-throttles` of (.*?) \|/m.exec(page) ?? [];

function alarmsOf(all: Resources, stage: string): string[] {
    return ofType(all, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties.AlarmName.replace(`flowlake-${stage}-`, ''));
}

/** True if a row of a table begins with the alarm's name, or names its function. */
function hasRow(alarm: string): boolean {
    const [, job] = /^(.+)-(?:errors|throttles)$/.exec(alarm) ?? [];
    const rows = page.match(/^\| `[^|]+\|/gm) ?? [];
    return rows.some((row) => row.includes(`\`${alarm}\``)) || (job !== undefined && listed.includes(`\`${job}\``));
}

test.each([
    ['dev', synthesize()],
    ['prod', synthesizeTelemetry({ stage: 'prod', changes: GUARDED })],
])('every alarm of %s has its row', (stage, all) => {
    const alarms = alarmsOf(all, stage);
    expect(alarms.length).toBeGreaterThan(10);
    expect(alarms.filter((alarm) => !hasRow(alarm))).toEqual([]);
});

test('and the sweep misses one that has none', () => {
    expect([hasRow('no-such-alarm'), hasRow('no-such-function-errors')]).toEqual([false, false]);
});
