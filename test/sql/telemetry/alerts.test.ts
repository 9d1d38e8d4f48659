/** alerts: what is wrong and was, open ones first. */
import type { Value } from '#lake/query/query-engine';
import { HOT, ms, openFleet } from '#test/support/fleet-fixture';

const NOON = ms('2026-01-05T12:00:00Z');

async function openAlerts() {
    const { askQuery } = await openFleet({
        profile: { alerts: [HOT], dueEvery: '1h' },
        readings: [
            { at: '2026-01-05T07:00:00Z', is: '31' },
            { at: '2026-01-05T07:30:00Z', is: '20' },
            { at: '2026-01-05T11:10:00Z', is: '32', device: 'd2', site: 'bay' },
        ],
    });
    return async (...[now, site = null, device = null, from = null, to = null, state = null, limit = 10n]: Value[]) =>
        (await askQuery('alerts', [now ?? null, site, device, from, to, state, limit])).map(
            ({ state: is, device: of, rule }) => `${is} ${of} ${rule}`,
        );
}

test('lists what is open first, and a silence only from its deadline on', async () => {
    const ask = await openAlerts();
    expect(await ask(NOON)).toEqual(['open d2 hot', 'open d1 silent', 'ended d1 hot']);
    expect(await ask(ms('2026-01-05T12:11:00Z'))).toEqual(['open d2 silent', 'open d2 hot', 'open d1 silent', 'ended d1 hot']);
});

test('takes a site, a device, times, a state and how many', async () => {
    const ask = await openAlerts();
    expect(await ask(NOON, 'bay')).toEqual(['open d2 hot']);
    expect(await ask(NOON, null, 'd1')).toEqual(['open d1 silent', 'ended d1 hot']);
    // What ended before is left out, and what began then or later.
    expect(await ask(NOON, null, null, ms('2026-01-05T07:30:00.001Z'))).toEqual(['open d2 hot', 'open d1 silent']);
    expect(await ask(NOON, null, null, ms('2026-01-05T07:30:00Z'), ms('2026-01-05T08:30:00Z'))).toEqual(['ended d1 hot']);
    expect(await ask(NOON, null, null, null, null, 'open', 1n)).toEqual(['open d2 hot']);
});
