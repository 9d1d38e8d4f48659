/** Bytes changed as no grammar would: flipped, cut, doubled, spliced in from another file. */
import type { Draw } from './draw.ts';

/** Bytes that mean something to a reader of files of flows. */
const LOADED = [...Buffer.from('",;\t \n\r#-+.eET/:%0159\0\x1f\x8b\xff\xfe', 'latin1')];

/** One to four changes of `bytes`; `other` is what may be spliced in. */
export function mutate(draw: Draw, bytes: Buffer, other: Buffer): Buffer {
    let changed: Buffer = Buffer.from(bytes);
    for (let changes = 1 + draw.below(4); changes > 0; changes -= 1) {
        changed = mutateOnce(draw, changed, other);
    }
    return changed;
}

function mutateOnce(draw: Draw, bytes: Buffer, other: Buffer): Buffer {
    const at = draw.below(bytes.length + 1);
    const behind = at + draw.below(Math.min(bytes.length - at + 1, draw.pick([2, 20, 1 << 20])));
    const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, behind), bytes.subarray(behind)];
    const loaded = Buffer.from(Array.from({ length: 1 + draw.below(3) }, () => draw.pick(LOADED)));
    switch (draw.below(8)) {
        case 0: {
            const flipped = Buffer.from(bytes);
            if (at < bytes.length) {
                flipped[at] = flipped[at]! ^ (1 << draw.below(8));
            }
            return flipped;
        }
        case 1:
            return Buffer.concat([head, tail]);
        case 2:
            return Buffer.from(head);
        case 3:
            return Buffer.concat([head, middle, middle, tail]);
        case 4: {
            const from = draw.below(other.length + 1);
            return Buffer.concat([head, other.subarray(from, from + draw.below(200)), tail]);
        }
        case 5:
        case 6:
            return Buffer.concat([head, loaded, bytes.subarray(at)]);
        default: {
            const replaced = Buffer.from(bytes);
            loaded.copy(replaced, at);
            return replaced;
        }
    }
}
