/** A pair by its addresses: one arrow for all, which is read out as a word. */

export function PairName({ src, dst }: { src: string; dst: string }) {
    return (
        <span class="mono">
            {src}{' '}
            <span role="img" aria-label="to">
                →
            </span>{' '}
            {dst}
        </span>
    );
}
