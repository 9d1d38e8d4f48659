/** What reaches a terminal, a pipe and the eyes of others. */
import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import { openOutput, secretsOf } from '#cli/output';
import { runFlowlake } from '#test/support/flowlake';
import { makeFolder } from '#test/support/temporary';

const ESCAPE = String.fromCodePoint(27);
const HOSTILE = `a${ESCAPE}[2J\u009b31m\u202eb\rc\td\r\ne\n`;
const HARMLESS = 'a\\u001b[2J\\u009b31m\\u202eb\\rc\td\r\ne\n';

function openText({ isTTY, ...options }: { isTTY: boolean } & Parameters<typeof openOutput>[1]) {
    const written: string[] = [];
    const stream = Object.assign(
        new Writable({
            write(chunk, _, done) {
                written.push(String(chunk));
                done();
            },
        }),
        { isTTY },
    );
    return { output: openOutput(stream, options), written };
}

test.each([
    ['a terminal', { isTTY: true }, HARMLESS],
    ['a pipe, which other programs read', { isTTY: false }, HOSTILE],
    ['a log of messages, which people read', { isTTY: false, isOptional: true }, HARMLESS],
])('what a terminal obeys, in %s', async (_, options, expected) => {
    const { output, written } = openText(options);
    await output.write(HOSTILE);
    expect(written.join('')).toBe(expected);
});

test('the program itself may move the cursor', async () => {
    const { output, written } = openText({ isTTY: true });
    await output.control(`\r${ESCAPE}[K`);
    expect(written).toEqual([`\r${ESCAPE}[K`]);
});

test.each([
    [{ isTTY: true, terminal: 'xterm-256color' }, true],
    [{ isTTY: true, terminal: 'dumb' }, false],
    [{ isTTY: false, terminal: 'xterm-256color' }, false],
])('lines are drawn over where a terminal can do that: %j', (options, expected) => {
    expect(openText(options).output.canRedraw).toBe(expected);
});

describe('credentials', () => {
    const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYMARKERKEY1';
    const TOKEN = 'IQoJb3JpZ2luX2VjEMARKERTOKEN/////////wEaCXVzLWVhc3Qt';
    const environment = {
        AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
        AWS_SECRET_ACCESS_KEY: SECRET,
        AWS_SESSION_TOKEN: TOKEN,
        AWS_REGION: 'eu-central-1',
        AWS_MAX_ATTEMPTS: '1',
        AWS_EC2_METADATA_DISABLED: 'true',
        FLOWLAKE_DEBUG: '1',
    };

    test('are hidden from everything that is printed, however they got there', async () => {
        const { output, written } = openText({ isTTY: false, secrets: secretsOf(environment) });
        await output.write(`before ${SECRET} and ${TOKEN}${TOKEN}`);
        expect(written.join('')).toBe('before (hidden) and (hidden)(hidden)');
        // A cloud on this machine takes any word for one.
        expect(secretsOf({ AWS_SECRET_ACCESS_KEY: 'test' })).toEqual([]);
    });

    test('are printed by no command, whatever a service answers', async () => {
        const folder = await makeFolder();
        const requests: string[] = [];
        // The worst of services: it repeats in its error all that it was told, the token among it.
        const server = createServer((request, response) => {
            const told = JSON.stringify(request.headers);
            requests.push(told);
            response.writeHead(403, { 'content-type': 'application/xml' });
            response.end(`<Error><Code>AccessDenied</Code><Message>${told} ${SECRET}</Message></Error>`);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const address = server.address();
        const AWS_ENDPOINT_URL = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
        const lines = ['doctor', '--output json doctor', 'status', '--output json status', 'pairs', 'verify', 'reconcile', 'upload a.csv'];
        try {
            for (const line of lines) {
                const { stdout, stderr } = await runFlowlake(`--lake s3://lake-of-nobody ${line}`, {
                    folder,
                    environment: { ...environment, HOME: folder, AWS_ENDPOINT_URL },
                });
                expect(stdout + stderr).not.toBe('');
                expect(stdout + stderr).not.toMatch(/MARKER/);
            }
        } finally {
            server.close();
        }
        expect(requests.some((headers) => headers.includes(TOKEN))).toBe(true);
    }, 120_000);
});
