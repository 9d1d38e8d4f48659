/** Requests as API Gateway hands them over: what it does to paths, bodies and headers on its way. */
import { answerEvent, type HttpEvent, requestOf } from '#lake/cloud/http-event';
import { Problem } from '#lake/live/api/problem';

const event = (more: Partial<HttpEvent> & { method?: string } = {}): HttpEvent => ({
    rawPath: '/v1/devices',
    rawQueryString: '',
    headers: { host: 'api.example.com' },
    isBase64Encoded: false,
    ...more,
    requestContext: { domainName: 'api.example.com', http: { method: more.method ?? 'GET' } },
});

test.each([
    ['/v1/devices/th-7', '/v1/devices/th-7'],
    ['/v1/devices/cam:1/readings', '/v1/devices/cam%3A1/readings'],
    ['/v1/devices/../../etc/passwd', '/v1/devices/..%2F..%2Fetc%2Fpasswd'],
    ['/v1/devices/a b', '/v1/devices/a%20b'],
    ['/v1/devices/a?b#c', '/v1/devices/a%3Fb%23c'],
    ['/v1/devices/100%', '/v1/devices/100%25'],
    ['/v1/devices/a%252Fb', '/v1/devices/a%252Fb'],
    ['/v1/alerts/th-7~too hot/or so~1/acknowledge', '/v1/alerts/th-7~too%20hot%2For%20so~1/acknowledge'],
    ['/v1/nothing here', '/v1/nothing%20here'],
])('gives a path its encoding back: %s', (rawPath, path) => {
    expect(new URL(requestOf(event({ rawPath })).url).pathname).toBe(path);
});

test('keeps the question as it was sent', () => {
    const { url } = requestOf(event({ rawQueryString: 'site=a%26b&x=%FF&limit=1&limit=2' }));
    expect(url).toBe('https://api.example.com/v1/devices?site=a%26b&x=%FF&limit=1&limit=2');
});

test('gives the bytes of a body, however they were handed over', async () => {
    const bytes = Buffer.from([0, 255, 91, 10, 13]);
    const asBase64 = requestOf(
        event({ method: 'POST', body: bytes.toString('base64'), isBase64Encoded: true, headers: { 'content-length': '5' } }),
    );
    expect(Buffer.from(await asBase64.arrayBuffer())).toEqual(bytes);
    const text = '{"name":"Küche"}';
    const asText = requestOf(event({ method: 'POST', body: text, headers: { 'content-length': String(Buffer.byteLength(text)) } }));
    expect(await asText.text()).toBe(text);
});

test('refuses a body whose bytes API Gateway has changed', async () => {
    const sent = Buffer.from([0x7b, 0xff, 0x7d]);
    const changed = event({ method: 'POST', body: sent.toString(), headers: { 'content-length': String(sent.length) } });
    const { statusCode, body } = await answerEvent(changed, async () => new Response('taken'));
    expect(statusCode).toBe(400);
    expect(JSON.parse(body)).toMatchObject({
        type: 'urn:flowlake:problem:bad_request',
        detail: expect.stringContaining('application/octet-stream'),
    });
});

test('takes no body where none can be', () => {
    expect(requestOf(event({ method: 'GET', body: 'x' })).body).toBeNull();
});

test('refuses headers and addresses that are none', async () => {
    for (const broken of [event({ headers: { 'x-odd': 'a\nb' } }), event({ rawPath: '/v1/devices/\ud800' })]) {
        expect((await answerEvent(broken, async () => new Response('taken'))).statusCode).toBe(400);
    }
});

test('hands answers on with their headers, and says where one is larger than a Lambda may give', async () => {
    const headers = { 'content-type': 'text/csv', etag: '"1"', link: '</v1/devices?after=x>; rel="next"' };
    expect(await answerEvent(event(), async () => new Response('a,b\n', { headers }))).toEqual({
        statusCode: 200,
        headers,
        body: 'a,b\n',
        isBase64Encoded: false,
    });
    const large = await answerEvent(event(), async () => new Response('x'.repeat(6 * 1024 * 1024)));
    expect([large.statusCode, JSON.parse(large.body).parameters]).toMatchObject([400, [{ name: 'limit' }]]);
    const quoted = await answerEvent(event(), async () => new Response('"'.repeat(4 * 1024 * 1024)));
    expect(quoted.statusCode).toBe(400);
});

test('answers problems as such, and throws what is none', async () => {
    const problem = await answerEvent(event(), async () => {
        throw new Problem('too_many', 'Later', { headers: { 'retry-after': '1' } });
    });
    expect(problem).toMatchObject({ statusCode: 429, headers: { 'retry-after': '1', 'content-type': 'application/problem+json' } });
    await expect(
        answerEvent(event(), async () => {
            throw new Error('broken');
        }),
    ).rejects.toThrow('broken');
});
