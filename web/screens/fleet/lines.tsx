/** Sparklines of the devices of a list. */
import type { FleetLines } from '../../../lake/pages/fleet-lines.ts';
import { Sparkline } from '../../parts/sparkline.tsx';
import { type PageState, usePage } from '../../use-page.ts';

/** The lines of a day; asked once for all devices of a list. */
export function useLines(day: string, devices: readonly string[]): PageState<FleetLines> {
    return usePage<FleetLines>('fleet-lines', { day, devices: devices.join(',') });
}

export function Lines({ of, site, device }: { of: PageState<FleetLines>; site: string; device: string }) {
    const lines = of.state === 'ready' ? of.data.lines : of.state === 'loading' ? of.before?.lines : undefined;
    const line = lines?.[`${site}/${device}`];
    if (of.state === 'plan') {
        return (
            <button type="button" class="small" onClick={of.go}>
                Ask
            </button>
        );
    }
    if (of.state === 'failed') {
        return <span class="missing">{of.problem.title}</span>;
    }
    return line ? (
        <Sparkline title={line.metric} values={line.means} />
    ) : (
        <span class="missing">{lines === undefined ? '…' : 'no values'}</span>
    );
}
