/** all_episodes: each alert and silence once. */
import { HOT, ms, openFleet } from '#test/support/fleet-fixture';

test('what ended stands once, what is open as the last day left it', async () => {
    const { ask } = await openFleet({
        profile: { alerts: [HOT], dueEvery: '10m', gapLimit: '2d' },
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '31' },
            { at: '2026-01-06T07:00:00Z', is: '33' },
            { at: '2026-01-07T07:00:00Z', is: '20' },
            { at: '2026-01-07T07:05:00Z', is: '35' },
        ],
    });
    expect(await ask('select rule, began_ms, ended_ms, worst, readings from all_episodes order by began_ms')).toEqual([
        { rule: 'hot', began_ms: ms('2026-01-05T07:00:00Z'), ended_ms: ms('2026-01-07T07:00:00Z'), worst: '33.000000000', readings: 2n },
        { rule: 'silent', began_ms: ms('2026-01-05T07:10:00Z'), ended_ms: ms('2026-01-06T07:00:00Z'), worst: null, readings: 0n },
        { rule: 'silent', began_ms: ms('2026-01-06T07:10:00Z'), ended_ms: ms('2026-01-07T07:00:00Z'), worst: null, readings: 0n },
        { rule: 'hot', began_ms: ms('2026-01-07T07:05:00Z'), ended_ms: null, worst: '35.000000000', readings: 1n },
        { rule: 'silent', began_ms: ms('2026-01-07T07:15:00Z'), ended_ms: null, worst: null, readings: 0n },
    ]);
    expect(await ask("select count(*) as open_on_first_day from episodes where day = '2026-01-05' and ended_ms is null")).toEqual([
        { open_on_first_day: 2n },
    ]);
});
