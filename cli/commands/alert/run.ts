/** Shows live alerts, and notes who knows of them. */
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { tellServe } from '#cli/tell-serve';
import { useState } from '#cli/use-state';
import { UsageError } from '#lake/errors';
import type { AlertsQuestion } from '#lake/live/api/services';
import type { Value } from '#lake/query/query-engine';

const COLUMNS = ['id', 'device', 'site', 'rule', 'severity', 'began_at', 'ended_at', 'worst', 'why', 'acknowledged_by', 'note', 'history'];

/** Prints a row for each alert, the newest first. */
export async function listAlerts(asked: Pick<AlertsQuestion, 'state' | 'device' | 'limit'>, context: RunContext): Promise<number> {
    return useState(context, async ({ state }) => {
        const { items, hasMore } = (await state.alerts({ ...asked, after: undefined })).answer;
        const rows = items.map((alert): Value[] => {
            const { id, device, site, rule, severity, worst, why, acknowledged, history } = alert;
            const [began, ended] = [timeOf(alert.began_ms), alert.ended_ms === null ? null : timeOf(alert.ended_ms)];
            return [
                id,
                device,
                site,
                rule,
                severity,
                began,
                ended,
                worst,
                why,
                acknowledged?.by ?? null,
                acknowledged?.note ?? null,
                history,
            ];
        });
        await printRows({ columns: COLUMNS.map((name) => ({ name, type: 'varchar' })), batches: batchOf(rows) }, context);
        if (hasMore) {
            await context.stderr.write(`The first ${asked.limit}; --limit shows more\n`);
        }
        return 0;
    });
}

/** @throws Failure where there is no such alert, or somebody else has acknowledged it */
export async function acknowledgeAlert(
    id: string,
    { note, by }: { note: string | undefined; by: string | undefined },
    context: RunContext,
): Promise<number> {
    const who = by ?? context.environment.USER ?? context.environment.USERNAME;
    if (note === undefined || note.trim() === '') {
        throw new UsageError('Say what is known of it: --note "valve ordered"');
    }
    if (who === undefined || who === '') {
        throw new UsageError('Say who knows of it: --by NAME');
    }
    return useState(context, async ({ state, lake }) => {
        const said = await state.acknowledge({ id, by: who, note });
        if (said.is === 'missing') {
            throw new Failure(`There is no alert ${id}: flowlake alert list shows those that there are`);
        }
        if (said.is === 'taken') {
            const { by: other = '', note: otherNote = '' } = said.alert.acknowledged ?? {};
            throw new Failure(`${other} has acknowledged it before: ${otherNote}`);
        }
        await tellServe(lake);
        await context.stderr.write(`Acknowledged by ${who}: ${note}\n`);
        return 0;
    });
}

function timeOf(ms: number): string {
    return new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
}
