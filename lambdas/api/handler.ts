/** Lambda `api`: answers questions to the HTTP API, and lets readers' WebSocket connections in. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import { openApiServices } from '#lake/cloud/api-services';
import { openDeviceLookup } from '#lake/cloud/device-lookup';
import type { HttpEvent } from '#lake/cloud/http-event';
import { createDynamoClient, openCloudState } from '#lake/cloud/state-store';
import { openTicketKey } from '#lake/cloud/ticket-key';
import { createApi } from '#lake/live/api/create-api';
import { Tickets } from '#lake/live/api/tickets';
import { createAthenaClient, openAthena } from '#lake/query/athena';
import { createS3Client } from '#lake/store/s3-client';
import { openSurroundings, readSetting } from '#lambdas/environment';
import { openReaders } from '#lambdas/open-readers';
import { openSockets } from '#lambdas/open-sockets';
import { answerRequest } from './answer-request.ts';
import { openAthenaQuestions } from './ask-athena.ts';
import { type ConnectEvent, connectSocket, isConnect } from './connect-socket.ts';

const environment = process.env;
const { store, logger, metrics } = openSurroundings(environment);
const callers = openReaders(environment, { store });
const { calls, sockets } = openSockets(environment);
const say = (why: string) => logger.warn('a token is refused', { why });

const services = openApiServices({
    callers,
    state: openCloudState({ client: createDynamoClient({ environment }), table: readSetting(environment, 'STATE_TABLE'), now: Date.now }),
    ask: openAthenaQuestions({
        engine: openAthena({
            client: createAthenaClient({ environment }),
            s3: createS3Client({ environment }),
            database: readSetting(environment, 'DATABASE'),
            workgroup: readSetting(environment, 'WORKGROUP'),
        }),
        // The bundle has the statements beside it (cdk/bundle-lambda.ts).
        textOf: (name) => readFileSync(new URL(`sql/telemetry/queries/${name}.sql`, import.meta.url), 'utf8'),
    }),
    devices: openDeviceLookup({ store, now: Date.now }),
    now: Date.now,
    say,
});

let opened: ReturnType<typeof open> | undefined;

/** What stands on the key that all functions of this name share. */
async function open() {
    const key = await openTicketKey(calls);
    const onBroken: Parameters<typeof createApi>[1] = {
        ticketKey: key,
        onBroken: ({ error, ...broken }) => logger.error('a request could not be answered', { ...broken, error }),
    };
    return { api: createApi(services, onBroken), tickets: new Tickets({ key, now: Date.now }) };
}

export async function handler(event: HttpEvent | ConnectEvent, context: Context) {
    logger.addContext(context);
    try {
        opened ??= open();
        const { api, tickets } = await opened;
        const result = isConnect(event) ? await connectSocket(event, { callers, tickets, sockets, say }) : await answerRequest(event, api);
        metrics.addMetric('RequestsBroken', MetricUnit.Count, result.statusCode >= 500 ? 1 : 0);
        return result;
    } catch (error) {
        // Tried anew by the next request.
        opened = undefined;
        logger.error('a request could not be answered', error instanceof Error ? error : String(error));
        throw error;
    } finally {
        metrics.publishStoredMetrics();
    }
}
