/** What real exporters write of a capture is in the lake as they wrote it, and as the capture was. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { type Conversation, captureOf, conversations } from './support/capture.ts';
import { EXPORTERS, type Flow, missingFor } from './support/exporters.ts';
import { type Figures, figuresOf, figuresOfAnswer, flowsOfConversation, groupBy, QUESTION } from './support/figures.ts';

test('at least one exporter is on this machine', () => {
    expect(EXPORTERS.map(missingFor)).toContain(undefined);
});

for (const { name, run, flowsOf, sees, takes = () => true, ...exporter } of EXPORTERS) {
    const missing = missingFor(exporter);
    (missing === undefined ? describe : describe.skip)(
        `${name}${missing === undefined ? '' : ` (skipped, it is not here: ${missing})`}`,
        () => {
            let taken: Conversation[];
            let written: Flow[];
            let found: Figures;

            beforeAll(async () => {
                taken = conversations().filter(takes);
                const folder = await makeFolder();
                await mkdir(join(folder, 'captures'));
                const capture = join(folder, 'captures/capture.pcap');
                await writeFile(capture, captureOf(taken));
                const path = await run({ capture, folder });
                written = flowsOf(await readFile(path, 'utf8'));
                const uploaded = await runFlowlake(['--lake', 'lake', 'upload', path], { folder });
                expect({ exitCode: uploaded.exitCode, stderr: uploaded.exitCode === 0 ? '' : uploaded.stderr }).toEqual({
                    exitCode: 0,
                    stderr: '',
                });
                const asked = await runFlowlake(['--lake', 'lake', '--output', 'csv', 'query', QUESTION], { folder });
                found = figuresOfAnswer(asked.stdout);
            });

            test('its file is read to the figures of a plain count of it', () => {
                expect(found).toEqual(figuresOf(written));
            });

            test('short conversations come to what the capture has of them', () => {
                const pairs = groupBy(taken, ({ src, dst }) => [src, dst].sort().join(' '));
                const plain = [...pairs.values()].filter((list) => list.every(({ isPlain }) => isPlain)).flat();
                const wanted = figuresOf(plain.flatMap((conversation) => flowsOfConversation(conversation, sees)));
                expect(Object.keys(wanted).length).toBeGreaterThan(40);
                expect(Object.fromEntries(Object.keys(wanted).map((pair) => [pair, found[pair]]))).toEqual(wanted);
            });

            test('a long conversation that goes one way keeps its packets, however many flows are made of it', () => {
                const [heartbeat] = taken.filter(({ src }) => src === '192.0.2.19');
                const flows = written.filter(({ src }) => src === '192.0.2.19');
                const packets = flows.reduce((sum, flow) => sum + flow.packets - sees.extraPackets, 0n);
                expect(packets).toBe(BigInt(heartbeat?.packets.length ?? 0));
            });
        },
    );
}
