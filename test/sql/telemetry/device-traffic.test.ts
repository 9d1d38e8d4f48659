/** device_traffic: what a device measured beside what its address sent and received. */
import { openFleet } from '#test/support/fleet-fixture';

const READINGS = [{ at: '2026-01-05T07:00:00Z', is: '21' }];
const ASK = 'select device, day, readings, flows_out, pkts_out, flows_in, pkts_in from device_traffic order by day, device';

test('a day of a device has the traffic of its address at its site, out and in', async () => {
    const { ask } = await openFleet({
        readings: READINGS,
        devices: [{ device: 'd1', ip: '10.0.0.7' }],
        flows: [
            { day: '2026-01-05', src: '10.0.0.7', packets: 3n },
            { day: '2026-01-05', src: '10.0.0.7', dst: '10.0.0.3', packets: 4n },
            { day: '2026-01-05', src: '10.0.0.9', dst: '10.0.0.7', packets: 5n },
            { day: '2026-01-05', src: '10.0.0.7', site: 'bay', packets: 99n },
            { day: '2026-01-06', src: '10.0.0.7', dst: '10.0.0.7', packets: 6n },
        ],
    });
    expect(await ask(ASK)).toEqual([
        { device: 'd1', day: '2026-01-05', readings: 1n, flows_out: 2n, pkts_out: 7n, flows_in: 1n, pkts_in: 5n },
        { device: 'd1', day: '2026-01-06', readings: 0n, flows_out: 1n, pkts_out: 6n, flows_in: 0n, pkts_in: 0n },
    ]);
});

test('an address is the device’s on the days of its assignment alone', async () => {
    const { ask } = await openFleet({
        readings: READINGS,
        devices: [
            { device: 'd1', ip: '10.0.0.7', from: '2026-01-05' },
            { device: 'd1', ip: '10.0.0.8', from: '2026-01-07' },
        ],
        flows: ['04', '05', '06', '07'].map((day) => ({ day: `2026-01-${day}`, src: '10.0.0.7', packets: 1n })),
    });
    expect((await ask(ASK)).map(({ day, pkts_out }) => [day, pkts_out])).toEqual([
        ['2026-01-05', 1n],
        ['2026-01-06', 1n],
    ]);
});

test('a device without an address has its readings and no traffic', async () => {
    const { ask } = await openFleet({ readings: READINGS, devices: [{ device: 'd1' }], flows: [{ day: '2026-01-05' }] });
    expect(await ask(ASK)).toEqual([
        { device: 'd1', day: '2026-01-05', readings: 1n, flows_out: 0n, pkts_out: 0n, flows_in: 0n, pkts_in: 0n },
    ]);
});
