/** All routes of the API, and what is answered where none of them fits. */
import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { ConflictError, StorageError } from '#lake/errors';
import type { ApiApp, ApiEnv } from './app.ts';
import { authenticate } from './authenticate.ts';
import { documentOf } from './document.ts';
import { notPossibleNow, type ParameterFault, Problem } from './problem.ts';
import { addAbout } from './routes/about.ts';
import { addAlerts } from './routes/alerts.ts';
import { addDevices } from './routes/devices.ts';
import { addLive } from './routes/live.ts';
import { addReadings } from './routes/readings.ts';
import { addTelemetry } from './routes/telemetry.ts';

export function createApp(): ApiApp {
    const app: ApiApp = new OpenAPIHono<ApiEnv>({
        defaultHook: (result) => {
            if (!result.success) {
                throw wrongParameters(result.target, result.error.issues);
            }
        },
    });
    app.onError((error, c) => problemOf(error, c).toResponse());
    app.notFound((c) =>
        new Problem('not_found', `There is nothing at ${c.req.path}: GET /v1/openapi.json lists what there is`).toResponse(),
    );
    app.use('/v1/*', authenticate);
    addTelemetry(app);
    addDevices(app);
    addReadings(app);
    addAlerts(app);
    addLive(app);
    addAbout(app);
    refuseOtherMethods(app);
    return app;
}

/** The document of the API: docs/openapi.json. */
export function apiDocument(): object {
    return documentOf(createApp());
}

/** Answers 405 where an address is known, but not with that method. */
function refuseOtherMethods(app: ApiApp): void {
    const methods = new Map<string, Set<string>>();
    for (const { path, method } of app.routes.filter((route) => route.method !== 'ALL')) {
        const known = methods.get(path) ?? new Set();
        methods.set(path, known.add(method));
        if (method === 'GET') {
            known.add('HEAD');
        }
    }
    for (const [path, known] of methods) {
        const allow = [...known, 'OPTIONS'].sort().join(', ');
        app.all(path, (c) => {
            if (c.req.method === 'OPTIONS') {
                return new Response(null, { status: 204, headers: { allow } });
            }
            throw new Problem('wrong_method', `${c.req.method} is not known at ${c.req.path}: ${allow}`, { headers: { allow } });
        });
    }
}

function problemOf(error: unknown, c: Context<ApiEnv>): Problem {
    if (error instanceof Problem) {
        return error;
    }
    if (error instanceof HTTPException) {
        // What hono finds by itself: JSON that is none, and a body of another type.
        return error.status === 415
            ? new Problem('wrong_type', 'The body is JSON: say Content-Type: application/json')
            : new Problem('bad_request', 'The body is no sound JSON');
    }
    const instance = `urn:uuid:${randomUUID()}`;
    c.env.context.onBroken({ instance, error, method: c.req.method, path: c.req.path });
    const mayHelpLater = error instanceof StorageError || error instanceof ConflictError;
    return mayHelpLater ? notPossibleNow(instance) : new Problem('broken', `The server’s log says more, at ${instance}`, { instance });
}

const PLACES: Readonly<Record<string, ParameterFault['in']>> = { query: 'query', param: 'path', header: 'header', json: 'body' };

interface Issue {
    code?: string | undefined;
    path: readonly PropertyKey[];
    message: string;
    keys?: readonly string[];
}

function wrongParameters(target: string, issues: readonly Issue[]): Problem {
    const place = PLACES[target] ?? 'query';
    const faults = issues.flatMap(({ code, path, message, keys = [] }): ParameterFault[] =>
        code === 'unrecognized_keys'
            ? keys.map((name) => ({
                  in: place,
                  // Whatever was made up is not answered at length.
                  name: name.slice(0, 100),
                  detail: 'There is no such parameter: GET /v1/openapi.json lists those that there are.',
              }))
            : [{ in: place, name: String(path[0] ?? 'body'), detail: message }],
    );
    return new Problem('bad_parameter', faults.map(({ name, detail }) => `${name}: ${detail}`).join(' '), { parameters: faults });
}
