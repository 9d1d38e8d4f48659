/** The alarms of a deployment: which are there, which ring, and whether anybody hears them. */
import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { type Answer, ask } from './finding.ts';

export interface AlarmFacts {
    name: string;
    /** `OK`, `ALARM`, or `INSUFFICIENT_DATA`. */
    state: string;
    since: Date | undefined;
    /** True if it may tell somebody. */
    isEnabled: boolean;
    /** ARNs of the topics that it rings at. */
    destinations: readonly string[];
}

/** Alarms that CloudWatch looks up at once: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html */
const MAX_NAMES = 100;

/** Facts of the named alarms that are there. */
export function gatherAlarms(client: CloudWatchClient, names: readonly string[]): Promise<Answer<readonly AlarmFacts[]>> {
    return ask(
        async () => {
            const found: AlarmFacts[] = [];
            for (let at = 0; at < names.length; at += MAX_NAMES) {
                const { MetricAlarms = [] } = await client.send(
                    new DescribeAlarmsCommand({ AlarmNames: names.slice(at, at + MAX_NAMES), MaxRecords: MAX_NAMES }),
                );
                for (const alarm of MetricAlarms) {
                    found.push({
                        name: alarm.AlarmName ?? '',
                        state: alarm.StateValue ?? '',
                        since: alarm.StateUpdatedTimestamp,
                        isEnabled: alarm.ActionsEnabled !== false,
                        destinations: alarm.AlarmActions ?? [],
                    });
                }
            }
            return found;
        },
        { doing: 'look at the alarms' },
    );
}
