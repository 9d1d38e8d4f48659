/** The fleet, its devices, and one of them. */
import { createRoute } from '@hono/zod-openapi';
import { answerState, nextPage } from '../answer.ts';
import { ANY_PROBLEMS, type ApiApp, answers, only, ownOnly, stateAnswers } from '../app.ts';
import { deviceBody, fleetBody } from '../bodies.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { noDevice } from '../problem.ts';
import { DeviceBody, DevicePath, DevicesBody, DevicesQuery, FleetBody, NoQuery } from '../schemas.ts';

const fleetRoute = createRoute({
    method: 'get',
    path: '/v1/fleet',
    summary: 'How many devices are online, late and silent, and which alerts are open',
    tags: ['devices'],
    middleware: only('reader'),
    request: { query: NoQuery },
    responses: answers(stateAnswers(FleetBody, 'The fleet now'), ANY_PROBLEMS),
});

const devicesRoute = createRoute({
    method: 'get',
    path: '/v1/devices',
    summary: 'Devices with their latest values, in the order of their ids',
    tags: ['devices'],
    middleware: only('reader'),
    request: { query: DevicesQuery },
    responses: answers(stateAnswers(DevicesBody, 'A page of devices'), ANY_PROBLEMS),
});

const deviceRoute = createRoute({
    method: 'get',
    path: '/v1/devices/{id}',
    summary: 'A device: its state and the newest value of each metric',
    tags: ['devices'],
    middleware: ownOnly,
    request: { params: DevicePath, query: NoQuery },
    responses: answers(stateAnswers(DeviceBody, 'The device now'), [...ANY_PROBLEMS, 'not_found']),
});

/** Adds the routes. */
export function addDevices(app: ApiApp): void {
    app.openapi(fleetRoute, async (c) => {
        const { answer, version } = await c.env.context.services.fleet();
        return answerState(c, { version, write: () => JSON.stringify(fleetBody(answer)) });
    });

    app.openapi(devicesRoute, async (c) => {
        const { after, ...asked } = c.req.valid('query');
        const { answer, version } = await c.env.context.services.devices({
            ...asked,
            after: after === undefined ? undefined : decodeCursor('devices', ['string'], after)[0],
        });
        const last = answer.items.at(-1);
        const next = answer.hasMore && last ? nextPage(c, encodeCursor('devices', [last.item.device])) : null;
        return answerState(c, { version, next, write: () => JSON.stringify({ devices: answer.items.map(deviceBody), next }) });
    });

    app.openapi(deviceRoute, async (c) => {
        const { id } = c.req.valid('param');
        const found = await c.env.context.services.device(id);
        if (!found) {
            throw noDevice(id);
        }
        return answerState(c, { version: found.version, write: () => JSON.stringify(deviceBody(found.answer)) });
    });
}
