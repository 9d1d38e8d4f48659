/** Lambda `authorize`: tells API Gateway whose token a message comes with. */
import process from 'node:process';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { APIGatewayRequestAuthorizerEventV2, Context } from 'aws-lambda';
import { openSurroundings } from '#lambdas/environment';
import { openReaders } from '#lambdas/open-readers';
import { authorize } from './authorize.ts';

const { store, logger, metrics } = openSurroundings(process.env);
const callers = openReaders(process.env, { store });

export async function handler(event: APIGatewayRequestAuthorizerEventV2, context: Context) {
    logger.addContext(context);
    let refused = 0;
    try {
        return await authorize(event, {
            callers,
            say(why) {
                refused += 1;
                logger.warn('a token is refused', { why });
            },
        });
    } catch (error) {
        logger.error('nobody can tell whose the token is', error instanceof Error ? error : String(error));
        throw error;
    } finally {
        metrics.addMetric('TokensRefused', MetricUnit.Count, refused);
        metrics.publishStoredMetrics();
    }
}
