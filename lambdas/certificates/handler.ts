/** Lambda `certificates`: once a day it tells which devices need another certificate soon. */
import process from 'node:process';
import type { Context } from 'aws-lambda';
import { openSurroundings } from '#lambdas/environment';
import { tellEndings } from './tell-endings.ts';

const { store, logger, metrics } = openSurroundings(process.env);

export async function handler(_event: unknown, context: Context): Promise<void> {
    logger.addContext(context);
    try {
        await tellEndings({ store, now: new Date(), log: logger, metrics });
    } finally {
        metrics.publishStoredMetrics();
    }
}
