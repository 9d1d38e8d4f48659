/** The API as AWS has it, without AWS: its Lambdas behind a front that does what API Gateway does, over services in memory. */

import { type ApiOptions, createApi } from '#lake/live/api/create-api';
import type { ApiServices } from '#lake/live/api/services';
import { answerRequest } from '#lambdas/api/answer-request';
import { authorize } from '#lambdas/authorize/authorize';
import { takeMessages } from '#lambdas/intake/take-messages';
import { type HttpApiFront, openHttpApiFront } from '#test/support/http-api-front';

export interface CloudFront extends HttpApiFront {
    /** Why tokens were refused. */
    refused: string[];
}

/** How long API Gateway remembers whose a token is; cdk/telemetry/api.ts says so. */
export const TOKEN_REMEMBERED_S = 60;

export async function openCloudFront(services: ApiServices, options: ApiOptions = {}): Promise<CloudFront> {
    const refused: string[] = [];
    const callers = {
        of: async (token: string) => {
            const caller = await services.authenticate(token);
            return caller ? { ok: true as const, caller } : { ok: false as const, why: 'nobody has it' };
        },
    };
    const questions = createApi(partsOf(services, {}), options);
    const messages = createApi(partsOf(services, { authenticate: async () => undefined }), options);
    const front = await openHttpApiFront({
        ...(options.now && { now: options.now }),
        routes: [
            {
                key: 'POST /v1/telemetry',
                lambda: (event) => takeMessages(event, messages),
                authorizer: {
                    lambda: (event) => authorize(event, { callers, say: (why) => refused.push(why) }),
                    ttlSeconds: TOKEN_REMEMBERED_S,
                },
            },
            { key: 'ANY /v1/{proxy+}', lambda: (event) => answerRequest(event, questions) },
        ],
    });
    return { ...front, refused };
}

/** The services without the log of events, and with what stands in `others` in place of theirs. Each is asked for when it is called: tests replace some. */
function partsOf(services: ApiServices, others: Partial<ApiServices>): ApiServices {
    return {
        authenticate: (token) => services.authenticate(token),
        accept: (device, messages) => services.accept(device, messages),
        fleet: () => services.fleet(),
        devices: (question) => services.devices(question),
        device: (id) => services.device(id),
        readings: (question) => services.readings(question),
        steps: (question) => services.steps(question),
        alerts: (question) => services.alerts(question),
        acknowledge: (order) => services.acknowledge(order),
        health: () => services.health(),
        events: undefined,
        ...others,
    };
}
