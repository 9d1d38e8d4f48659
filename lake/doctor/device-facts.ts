/** What IoT Core has of the lake's devices, and what the lake itself says of them. */
import { GetPolicyCommand } from '@aws-sdk/client-iot';
import type { Environment } from '#lake/aws/client-config';
import { type DevicesSeen, seeDevices } from '#lake/cloud/iot-differences';
import { createIotClients, openIotRegistry } from '#lake/cloud/iot-registry';
import type { ObjectStore } from '#lake/store/object-store';
import { type Answer, ask } from './finding.ts';

export interface DeviceFacts {
    policyName: string;
    policy: Answer<true>;
    seen: Answer<DevicesSeen>;
}

interface Options {
    environment: Environment;
    region: string | undefined;
    bucket: string;
    policyName: string;
}

/** Reads an object for each device, and a page of IoT Core for 250 of them. */
export async function gatherDevices(store: ObjectStore, { bucket, policyName, ...options }: Options): Promise<DeviceFacts> {
    const clients = createIotClients(options);
    const { control } = clients;
    const registry = openIotRegistry({ clients, policy: policyName, lake: bucket });
    const [policy, seen] = await Promise.all([
        ask(
            async () => {
                await control.send(new GetPolicyCommand({ policyName }));
                return true as const;
            },
            { doing: `look at policy ${policyName} of IoT Core`, isMissing: (error) => error.name === 'ResourceNotFoundException' },
        ),
        ask(() => seeDevices(store, registry), { doing: 'compare devices with IoT Core' }),
    ]);
    return { policyName, policy, seen };
}
