/** A file of an exporter in a lake of its own, put there by the built program. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ran, runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';
import { type Conversation, captureOf } from './capture.ts';
import { type Figures, figuresOfAnswer, QUESTION } from './figures.ts';
import type { Run } from './run-exporters.ts';

interface Uploaded {
    /** Path of what the exporter wrote. */
    path: string;
    upload: Ran;
    figures: Figures;
}

/** Has an exporter write its file for these conversations and uploads it, with these options, to a new lake. */
export async function exportAndUpload(
    exporter: (where: Omit<Run, 'options'>) => Promise<string>,
    conversations: readonly Conversation[],
    options: readonly string[] = [],
): Promise<Uploaded> {
    const folder = await makeFolder();
    await mkdir(join(folder, 'captures'));
    const capture = join(folder, 'captures/capture.pcap');
    await writeFile(capture, captureOf(conversations));
    const path = await exporter({ capture, folder });
    const upload = await runFlowlake(['--lake', 'lake', 'upload', path, ...options], { folder });
    const answer = await runFlowlake(['--lake', 'lake', '--output', 'csv', 'query', QUESTION], { folder });
    expect({ exitCode: answer.exitCode, stderr: answer.exitCode === 0 ? '' : answer.stderr }).toEqual({ exitCode: 0, stderr: '' });
    return { path, upload, figures: figuresOfAnswer(answer.stdout) };
}
