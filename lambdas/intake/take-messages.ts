/** Takes in the messages of a request that API Gateway has asked the authorizer about. */

import { callerIn } from '#lake/cloud/found-caller';
import { answerEvent, type HttpEvent, type HttpResult } from '#lake/cloud/http-event';
import type { Api } from '#lake/live/api/create-api';

export interface IntakeEvent extends HttpEvent {
    requestContext: HttpEvent['requestContext'] & { authorizer?: { lambda?: unknown } };
}

/** Answers once the messages are in the stream. @throws TypeError for a request that came past the authorizer */
export function takeMessages(event: IntakeEvent, api: Api): Promise<HttpResult> {
    const caller = callerIn(event.requestContext.authorizer?.lambda);
    return answerEvent(event, (request) => {
        if (caller) {
            // The token was looked at; one that is nobody's stays, and is refused.
            request.headers.delete('authorization');
        }
        return api.fetch(request, { caller });
    });
}
