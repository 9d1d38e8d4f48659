/** The OpenAPI document: docs/openapi.json, and what GET /v1/openapi.json answers. */
import type { ApiApp } from './app.ts';

/** Version of the API: its first number stands in every address. */
const API_VERSION = '1.0.0';

/** The document of the routes that were added. */
export function documentOf(app: ApiApp): object {
    const { openAPIRegistry } = app;
    openAPIRegistry.registerComponent('securitySchemes', 'token', {
        type: 'http',
        scheme: 'bearer',
        description: 'Of a device, or of a reader',
    });
    openAPIRegistry.registerComponent('securitySchemes', 'certificate', {
        type: 'mutualTLS',
        description: 'A device’s client certificate',
    });
    openAPIRegistry.registerComponent('securitySchemes', 'ticket', { type: 'apiKey', in: 'query', name: 'ticket' });
    return app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: {
            title: 'flowlake: live telemetry',
            version: API_VERSION,
            license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
            description:
                'Devices send messages; people and programs read the latest state, readings and alerts. Numbers of readings are written with all their digits: who needs each of them ' +
                'reads numbers as decimals, not as floats. docs/api.md says the rest.',
        },
        servers: [{ url: '/' }],
        tags: [
            { name: 'telemetry', description: 'What devices send' },
            { name: 'devices', description: 'Latest state and readings' },
            { name: 'alerts', description: 'What is wrong' },
            { name: 'live', description: 'What happens' },
            { name: 'about', description: 'The API itself' },
        ],
        security: [{ token: [] }, { certificate: [] }],
    });
}
