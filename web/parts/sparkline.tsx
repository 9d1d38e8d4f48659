/** A line the size of a word: the hours of a day. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { onNewColors } from '../shell/theme-choice.ts';
import { roundTo } from './figure.tsx';

const WIDTH = 132;
const HEIGHT = 30;

/** `values` are one for each hour; null is a gap. `title` says what they are. */
export function Sparkline({ title, values }: { title: string; values: readonly (number | null)[] }) {
    const place = useRef<HTMLSpanElement>(null);
    useEffect(() => {
        const element = place.current;
        if (!element) {
            return;
        }
        let plot: uPlot | undefined;
        const draw = () => {
            plot?.destroy();
            const color = getComputedStyle(document.documentElement).getPropertyValue('--data-1').trim();
            plot = new uPlot(
                {
                    width: WIDTH,
                    height: HEIGHT,
                    cursor: { show: false },
                    legend: { show: false },
                    padding: [3, 2, 3, 2],
                    scales: { x: { time: false, range: [0, 23] } },
                    axes: [{ show: false }, { show: false }],
                    series: [{}, { stroke: color, width: 1.5, spanGaps: false, points: { show: isAlone, size: 4, fill: color } }],
                },
                [values.map((_, hour) => hour), values as (number | null)[]],
                element,
            );
        };
        draw();
        const leaveColors = onNewColors(draw);
        return () => {
            leaveColors();
            plot?.destroy();
        };
    }, [values]);
    const some = values.filter((value) => value !== null);
    const words =
        some.length === 0
            ? `${title}: nothing`
            : `${title}: ${roundTo(Math.min(...some), 4)} to ${roundTo(Math.max(...some), 4)}, ${some.length} of ${values.length} hours`;
    return (
        <span class="sparkline" title={words}>
            <span ref={place} class="sparkline-place" role="img" aria-label={words} />
            <span class="sparkline-of" aria-hidden="true">
                {title}
            </span>
        </span>
    );
}

/** Draws the points of a line that has no neighbour to go to. */
function isAlone(plot: uPlot, series: number): boolean {
    const values = plot.data[series] ?? [];
    return values.filter((value) => value !== null).length < 3;
}
