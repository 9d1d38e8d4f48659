/** What IoT Core has of the lake's devices, and what the lake itself says of them. */
import { GetPolicyCommand, GetTopicRuleCommand, type IoTClient, paginateListTopicRules } from '@aws-sdk/client-iot';
import type { Environment } from '#lake/aws/client-config';
import { type DevicesSeen, seeDevices } from '#lake/cloud/iot-differences';
import { createIotClients, openIotRegistry } from '#lake/cloud/iot-registry';
import { deviceRuleOf, type TelemetryDeployment } from '#lake/deployment';
import type { ObjectStore } from '#lake/store/object-store';
import { type Answer, ask } from './finding.ts';

export interface RuleFacts {
    isDisabled: boolean;
    hasErrorAction: boolean;
    sql: string;
}

export interface DeviceFacts {
    /** True if the deployment lets devices in. */
    isOn: boolean;
    policyName: string;
    policy: Answer<true>;
    ruleName: string;
    rule: Answer<RuleFacts>;
    seen: Answer<DevicesSeen>;
}

interface Options {
    environment: Environment;
    region: string | undefined;
    bucket: string;
    stage: string;
    names: Pick<TelemetryDeployment, 'devicePolicy' | 'apiUrl'>;
}

/** Reads an object for each device, and a page of IoT Core for 250 of them. */
export async function gatherDevices(store: ObjectStore, { bucket, stage, names, ...options }: Options): Promise<DeviceFacts> {
    const clients = createIotClients(options);
    const { control } = clients;
    const [policyName, ruleName] = [names.devicePolicy, deviceRuleOf({ stage })];
    const registry = openIotRegistry({ clients, policy: policyName, lake: bucket });
    const [policy, rule, seen] = await Promise.all([
        ask(
            async () => {
                await control.send(new GetPolicyCommand({ policyName }));
                return true as const;
            },
            { doing: `look at policy ${policyName} of IoT Core`, isMissing: (error) => error.name === 'ResourceNotFoundException' },
        ),
        ask(() => readRule(control, ruleName), {
            doing: `look at rule ${ruleName} of IoT Core`,
            isMissing: (error) => error instanceof NoRule,
        }),
        ask(() => seeDevices(store, registry), { doing: 'compare devices with IoT Core' }),
    ]);
    return { isOn: names.apiUrl !== undefined, policyName, policy, ruleName, rule, seen };
}

class NoRule extends Error {}

/** @throws NoRule where there is none: of a rule that is not there IoT Core says "unauthorized" too, so the list of rules decides */
async function readRule(control: IoTClient, ruleName: string): Promise<RuleFacts> {
    const names: (string | undefined)[] = [];
    for await (const { rules } of paginateListTopicRules({ client: control }, {})) {
        names.push(...(rules ?? []).map((rule) => rule.ruleName));
    }
    if (!names.includes(ruleName)) {
        throw new NoRule();
    }
    const { rule = {} } = await control.send(new GetTopicRuleCommand({ ruleName }));
    const { ruleDisabled = false, errorAction, sql = '' } = rule;
    return { isDisabled: ruleDisabled, hasErrorAction: errorAction !== undefined, sql };
}
