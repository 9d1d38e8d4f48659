/** Answers a question to the API that came by way of API Gateway. */
import { answerEvent, type HttpEvent, type HttpResult } from '#lake/cloud/http-event';
import type { Api } from '#lake/live/api/create-api';

export function answerRequest(event: HttpEvent, api: Api): Promise<HttpResult> {
    return answerEvent(event, (request) => api.fetch(request));
}
