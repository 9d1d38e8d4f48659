/** Stands before servers of S3 and SQS and lets through what a policy allows, as IAM would; the rest is refused and remembered. */
import { createServer, request as forward, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A policy as docs/security.md has it. */
export interface Policy {
    Statement: readonly { Effect: string; Action: string | readonly string[]; Resource: string | readonly string[] }[];
}

export interface RightsProxy {
    /** Addresses for AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL_SQS. */
    s3: string;
    sqs: string;
    /** Every call: `s3:GetObject arn:aws:s3:::bucket/key`. */
    calls: string[];
    denied: string[];
    stop(): Promise<void>;
}

export async function startRightsProxy(policy: Policy, { s3, sqs }: { s3: string; sqs: string }): Promise<RightsProxy> {
    const calls: string[] = [];
    const denied: string[] = [];
    const front = async (target: string, callOf: (request: IncomingMessage, body: Buffer) => Call) => {
        const server = createServer(async (request, response) => {
            const body = await buffer(request);
            const { action, resource } = callOf(request, body);
            const call = `${action} ${resource}`;
            calls.push(call);
            if (!isAllowed(policy, { action, resource })) {
                denied.push(call);
                const isS3 = action.startsWith('s3:');
                response.writeHead(403, { 'content-type': isS3 ? 'application/xml' : 'application/x-amz-json-1.0' });
                const why = `User is not authorized to perform ${action}`;
                response.end(
                    isS3
                        ? `<Error><Code>AccessDenied</Code><Message>${why}</Message></Error>`
                        : JSON.stringify({ __type: 'AccessDeniedException', message: why }),
                );
                return;
            }
            const onward = forward(new URL(request.url ?? '/', target), { method: request.method, headers: request.headers }, (answer) => {
                response.writeHead(answer.statusCode ?? 500, answer.headers);
                answer.pipe(response);
            });
            onward.end(body);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        return server;
    };
    const [ofS3, ofSqs] = await Promise.all([front(s3, s3Call), front(sqs, sqsCall)]);
    const urlOf = (server: typeof ofS3): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
        s3: urlOf(ofS3),
        sqs: urlOf(ofSqs),
        calls,
        denied,
        async stop() {
            for (const server of [ofS3, ofSqs]) {
                server.closeAllConnections();
                await new Promise<void>((resolve) => server.close(() => resolve()));
            }
        },
    };
}

interface Call {
    action: string;
    resource: string;
}

/** The right that a call to S3 needs: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
function s3Call({ method = 'GET', url = '/' }: IncomingMessage): Call {
    const { pathname, searchParams } = new URL(url, 'http://s3');
    const [bucket = '', ...rest] = decodeURIComponent(pathname.slice(1)).split('/');
    const key = rest.join('/');
    const ofBucket = (action: string): Call => ({ action: `s3:${action}`, resource: `arn:aws:s3:::${bucket}` });
    if (key === '') {
        const asked = [
            ['tagging', 'GetBucketTagging'],
            ['location', 'GetBucketLocation'],
            ['versions', 'ListBucketVersions'],
        ].find(([word = '']) => searchParams.has(word));
        return ofBucket(asked?.[1] ?? 'ListBucket');
    }
    const action = { GET: 'GetObject', HEAD: 'GetObject', PUT: 'PutObject', POST: 'PutObject', DELETE: 'DeleteObject' }[method];
    return { action: `s3:${action}`, resource: `arn:aws:s3:::${bucket}/${key}` };
}

function sqsCall({ headers }: IncomingMessage, body: Buffer): Call {
    const action = String(headers['x-amz-target']).split('.')[1] ?? '';
    const { QueueName, QueueUrl = '' } = JSON.parse(body.toString());
    return { action: `sqs:${action}`, resource: `arn:aws:sqs:eu-central-1:111122223333:${QueueName ?? QueueUrl.split('/').at(-1)}` };
}

/** True if a statement allows the action on the resource; a star stands for any text. */
function isAllowed({ Statement }: Policy, { action, resource }: Call): boolean {
    const matches = (pattern: string, text: string): boolean =>
        new RegExp(
            `^${pattern
                .split('*')
                .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
                .join('.*')}$`,
        ).test(text);
    return Statement.some(
        ({ Effect, Action, Resource }) =>
            Effect === 'Allow' &&
            [Action].flat().some((one) => matches(one, action)) &&
            [Resource].flat().some((one) => matches(one, resource)),
    );
}
