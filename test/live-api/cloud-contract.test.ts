/** The API as AWS has it, over services in memory: events of API Gateway, its authorizer, and the answers of the Lambdas. */
import { randomBytes } from 'node:crypto';
import { openCloudFront } from './cloud-front.ts';
import { type ApiSubject, describeApi } from './contract.ts';
import { MemoryServices } from './memory-services.ts';

async function open(): Promise<ApiSubject> {
    const services = new MemoryServices();
    const front = await openCloudFront(services);
    services.addToken('reader-token', { is: 'reader', name: 'anna' });
    return {
        baseUrl: front.url,
        readerToken: 'reader-token',
        addDevice: async (id, { site }) => {
            const token = randomBytes(16).toString('base64url');
            services.addDevice(id, { site });
            services.addToken(token, { is: 'device', device: id });
            return token;
        },
        untilSeen: async () => {},
        untilSealed: async () => {},
        close: front.close,
    };
}

describeApi('the Lambdas of AWS', { open, hasEvents: false });
