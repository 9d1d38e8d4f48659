/** Hard times for the deployed lake, of which nothing is left after the test that made them. */
import { afterEach } from '@jest/globals';
import { nameOfCall } from './aws-call.ts';
import { JOBS, reserveConcurrency, sendCallsThrough } from './deployed-lambdas.ts';
import { hideMessagesFor } from './deployed-queues.ts';
import { type Fault, type Seen, startFaultyProxy } from './faulty-proxy.ts';

const undo: (() => Promise<void>)[] = [];

afterEach(async () => {
    for (const one of undo.splice(0).reverse()) {
        await one();
    }
});

/** A worker of these tests has done its batch by then; only who died, or failed, is waited for. */
const HIDDEN_SECONDS = 3;

/**
 * Messages that are not done come back within seconds instead of half an hour. Each call of the Lambdas to AWS meets what `faultOf` says;
 * then those that fail come back after a second too, whatever the Lambdas asked for: `faultOf` sees what that was.
 */
export async function openHardTimes({
    faultOf,
    hiddenSeconds = HIDDEN_SECONDS,
}: {
    faultOf?: (seen: Seen, body: Buffer) => Fault | Promise<Fault>;
    hiddenSeconds?: number;
} = {}): Promise<{ seen: Seen[] }> {
    undo.push(await hideMessagesFor(hiddenSeconds));
    undo.push(async () => {
        await Promise.all(JOBS.map((job) => reserveConcurrency(job, undefined)));
    });
    if (faultOf === undefined) {
        return { seen: [] };
    }
    const proxy = await startFaultyProxy(process.env.AWS_ENDPOINT_URL ?? '', faultOf, { rewrite: retryWithinASecond });
    undo.push(proxy.close, await sendCallsThrough(proxy.endpoint));
    return proxy;
}

function retryWithinASecond(seen: Seen, body: Buffer): Buffer {
    if (nameOfCall(seen) !== 'ChangeMessageVisibility') {
        return body;
    }
    const asked: { VisibilityTimeout: number } = JSON.parse(body.toString());
    return Buffer.from(JSON.stringify({ ...asked, VisibilityTimeout: Math.min(asked.VisibilityTimeout, 1) }));
}
