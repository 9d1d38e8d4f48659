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
            return pages.fetch(request);
        }
        const name = connection.caller ? undefined : pages.readerOf(request);
        return api.fetch(request, name === undefined ? connection : { caller: { is: 'reader', name } });
    };
}
