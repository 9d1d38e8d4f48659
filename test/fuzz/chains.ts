/** Files that are one short text over and over, as an enemy would write them to make a reader go over the same bytes again and again. */

import { readFlows } from '#lake/flows/read-flows';
import { DamagedFileError } from '#lake/flows/zstd-frames';
import { cut, inPieces } from '#test/support/bytes';
import type { Draw } from './draw.ts';
import { countSteps } from './steps.ts';

const HEADER = 'Src IP,Dst IP,Timestamp,Flow Duration,Tot Fwd Pkts,Label\n';
const TOKENS = ['"', '"', '""', ',', ',', '\n', '\n', '\r\n', 'x', ' ', '#', '1.1.1.1', '1', '5/5/2020', '\0'];

export interface Chain {
    /** What is repeated. */
    link: string;
    /** What the file ends with. */
    end: string;
    /** What stands in front: a header, or nothing. */
    start: string;
    pieceBytes: number;
}

export function makeChain(draw: Draw): Chain {
    return {
        start: draw.percent(85) ? HEADER : draw.pick(['', '#fields\t', '"']),
        link: Array.from({ length: 1 + draw.below(6) }, () => draw.pick(TOKENS)).join(''),
        end: draw.pick(['', '"x', '\n', '"']),
        pieceBytes: draw.pick([1, 64, 4096, 1 << 20]),
    };
}

/** How many steps the first reader takes per byte of the chain, at some length. */
export async function stepsPerByte({ start, link, end, pieceBytes }: Chain, lengthBytes: number): Promise<number> {
    const bytes = Buffer.from(start + link.repeat(Math.ceil(lengthBytes / link.length)) + end, 'latin1');
    const { steps } = await countSteps('lake/flows/', async () => {
        try {
            await readFlows(() => inPieces(cut(bytes, [pieceBytes])));
        } catch (error) {
            if (!(error instanceof DamagedFileError)) {
                throw error;
            }
        }
    });
    return steps / bytes.length;
}
