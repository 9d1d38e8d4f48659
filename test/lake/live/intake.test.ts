/** What one machine does with messages of its devices: what is not kept of them is counted, and the count is not lost. */
import { describe, expect, test } from '@jest/globals';
import { Intake } from '#lake/live/intake';
import { memoryInbox } from '#test/support/memory-inbox';

const HOUR_MS = 3_600_000;

function openIntake() {
    const inbox = memoryInbox();
    const clock = { ms: Date.UTC(2026, 0, 5, 10) };
    const lines: string[] = [];
    const devices = { find: () => ({ profile: 'thermostat', site: 'main', patterns: [] }) };
    const intake = new Intake({ inbox, devices, now: () => clock.ms, say: (line) => lines.push(line) });
    const takeForeign = async (count: number): Promise<void> => {
        for (let at = 0; at < count; at += 1) {
            await intake.take({ way: 'mqtt', device: 'th-1', topic: 'elsewhere', payload: Buffer.from('{}') });
        }
    };
    const said = (): string[] => inbox.messages.flatMap(({ refused = '' }) => (refused.includes('not kept') ? [refused] : []));
    return { inbox, clock, lines, intake, takeForeign, said };
}

describe('the count of messages that were put aside and not kept', () => {
    test('is said once its hour is over, and once', async () => {
        const { clock, intake, takeForeign, said } = openIntake();
        await takeForeign(1_003);
        await intake.sayDropped();
        expect(said()).toEqual([]);
        clock.ms += HOUR_MS;
        await Promise.all([intake.sayDropped(), intake.sayDropped({ all: true })]);
        await intake.sayDropped({ all: true });
        expect(said()).toEqual(['3 more messages of the hour from 2026-01-05T10:00Z on were put aside, and not kept']);
    });

    test('outlives an inbox that cannot store it', async () => {
        const { inbox, clock, intake, takeForeign, said } = openIntake();
        await takeForeign(1_003);
        clock.ms += HOUR_MS;
        await takeForeign(1_001);
        inbox.fail();
        await expect(intake.sayDropped({ all: true })).rejects.toThrow('the disk is full');
        await expect(intake.sayDropped({ all: true })).rejects.toThrow('the disk is full');
        inbox.fail(false);
        await intake.sayDropped({ all: true });
        expect(said().sort()).toEqual([
            '1 more messages of the hour from 2026-01-05T11:00Z on were put aside, and not kept',
            '3 more messages of the hour from 2026-01-05T10:00Z on were put aside, and not kept',
        ]);
    });
});
