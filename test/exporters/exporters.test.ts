/** What real exporters write of a capture is in the lake as they wrote it, and as the capture was. */
import { readFile } from 'node:fs/promises';
import { type Conversation, conversations } from './support/capture.ts';
import type { Flow } from './support/count-flows.ts';
import { EXPORTERS } from './support/exporters.ts';
import { type Figures, figuresOf, flowsOfConversation, groupBy } from './support/figures.ts';
import { missingOf } from './support/run-exporters.ts';
import { exportAndUpload } from './support/upload.ts';

test('at least one exporter is on this machine', () => {
    expect(EXPORTERS.map(({ needs }) => missingOf(needs))).toContain(undefined);
});

for (const { name, needs, run, flowsOf, sees, takes = () => true } of EXPORTERS) {
    const missing = missingOf(needs);
    (missing === undefined ? describe : describe.skip)(
        `${name}${missing === undefined ? '' : ` (skipped, it is not here: ${missing})`}`,
        () => {
            let taken: Conversation[];
            let written: Flow[];
            let found: Figures;

            beforeAll(async () => {
                taken = conversations().filter(takes);
                const { path, upload, figures } = await exportAndUpload(run, taken);
                expect({ exitCode: upload.exitCode, stderr: upload.exitCode === 0 ? '' : upload.stderr }).toEqual({
                    exitCode: 0,
                    stderr: '',
                });
                written = flowsOf(await readFile(path, 'utf8'));
                found = figures;
            });

            test('its file is read to the figures of a plain count of it', () => {
                expect(found).toEqual(figuresOf(written));
            });

            test('short conversations come to what the capture has of them', () => {
                const pairs = groupBy(taken, ({ src, dst }) => [src, dst].sort().join(' '));
                const plain = [...pairs.values()].filter((list) => list.every(({ isPlain }) => isPlain)).flat();
                const wanted = figuresOf(plain.flatMap((conversation) => flowsOfConversation(conversation, sees)));
                expect(Object.keys(wanted).length).toBeGreaterThan(60);
                expect(Object.fromEntries(Object.keys(wanted).map((pair) => [pair, found[pair]]))).toEqual(wanted);
            });

            test('a long conversation that goes one way keeps its packets, however many flows are made of it', () => {
                const [heartbeat] = taken.filter(({ src }) => src === '192.0.2.19');
                const [figures, ...others] = Object.entries(found).flatMap(([pair, value]) =>
                    pair.includes(' 192.0.2.19 ') ? [value] : [],
                );
                expect(others).toEqual([]);
                const { flows = 0n, packets } = figures ?? {};
                expect((packets?.sum ?? 0n) - sees.extraPackets * flows).toBe(BigInt(heartbeat?.packets.length ?? -1));
            });
        },
    );
}
