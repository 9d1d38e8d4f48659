/** Lambda `push`: gives live events their numbers, and tells WebSocket connections of them. */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context, DynamoDBStreamEvent } from 'aws-lambda';
import { openSocketPost } from '#lake/cloud/socket-post';
import { openSurroundings, readSetting } from '#lambdas/environment';
import { openSockets } from '#lambdas/open-sockets';
import { follow, type Live } from './follow.ts';
import { noteEvents } from './note-events.ts';
import { tellLevel } from './tell-level.ts';

/** What is read of the event of a route: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html */
interface SocketEvent {
    requestContext: { connectionId: string; eventType: string };
    body?: string | undefined;
}

const { logger, metrics } = openSurroundings(process.env);
const { log, sockets } = openSockets(process.env);
const socketTable = readSetting(process.env, 'SOCKET_TABLE');
const live: Live = {
    log,
    sockets,
    post: openSocketPost({ environment: process.env, endpoint: readSetting(process.env, 'SOCKET_ENDPOINT') }),
    now: Date.now,
    pause: () => sleep(50),
};

export async function handler(event: DynamoDBStreamEvent | SocketEvent, context: Context) {
    logger.addContext(context);
    try {
        if ('Records' in event) {
            await handOn(event);
            return undefined;
        }
        await answerSocket(event);
        return { statusCode: 200 };
    } finally {
        metrics.publishStoredMetrics();
    }
}

/** Changes of the state table go into the log, and changes of the log to who listens. */
async function handOn({ Records }: DynamoDBStreamEvent): Promise<void> {
    if (Records[0]?.eventSourceARN?.includes(`:table/${socketTable}/`)) {
        const { events, ended } = await tellLevel(live);
        metrics.addMetric('EventsTold', MetricUnit.Count, events);
        metrics.addMetric('SocketsEnded', MetricUnit.Count, ended);
        return;
    }
    const unreadable = await noteEvents(Records, {
        log,
        onUnreadable: (error, id) => logger.error('a change of the state table cannot be read as an event', { id, error }),
    });
    metrics.addMetric('EventsUnreadable', MetricUnit.Count, unreadable);
}

async function answerSocket({ requestContext: { connectionId, eventType }, body = '' }: SocketEvent): Promise<void> {
    if (eventType === 'DISCONNECT') {
        await sockets.close(connectionId);
    } else {
        await follow(connectionId, body, live);
    }
}
