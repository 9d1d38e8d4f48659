/** The pages of the web application and the API behind one port. */
import type { Connection } from '#lake/live/api/app';
import type { Api } from '#lake/live/api/create-api';
import type { Pages } from '#lake/pages/server/create-pages';

/** All addresses of the API begin so. */
const OF_API = '/v1/';

/** Answers by the API what is its own, and by the pages all else. A session of the pages is one of a reader for the API, too: its events are followed and alerts acknowledged by it. */
export function besideApi(pages: Pages, api: Pick<Api, 'fetch'>): (request: Request, connection: Connection) => Promise<Response> {
    return async (request, connection) => {
        if (!new URL(request.url).pathname.startsWith(OF_API)) {
            return pack(await pages.fetch(request), request);
        }
        const name = connection.caller ? undefined : pages.readerOf(request);
        return api.fetch(request, name === undefined ? connection : { caller: { is: 'reader', name } });
    };
}

/** The answer of a page as gzip, for who can unpack it: it may have a slow way to go. Files come packed already. */
function pack(response: Response, request: Request): Response {
    const { headers, status, body } = response;
    const isPacked = headers.get('content-type') !== 'application/json' || headers.has('content-encoding');
    if (!body || isPacked || !/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) {
        return response;
    }
    const packed = new Headers(headers);
    packed.delete('content-length');
    packed.set('content-encoding', 'gzip');
    packed.set('vary', 'accept-encoding');
    return new Response(body.pipeThrough(new CompressionStream('gzip')), { status, headers: packed });
}
