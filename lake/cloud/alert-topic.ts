/** The SNS topic of alerts: each event as a message in words for people, with attributes for programs and filters. */
import { type MessageAttributeValue, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { awsCodeOf, translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig } from '#lake/aws/client-config';
import { StorageError } from '#lake/errors';
import type { LiveEpisode } from '#lake/live/state-store';
import type { ToldEvent } from './state-events.ts';

/** Subjects are ASCII of 100 characters at most: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
const MAX_SUBJECT = 100;

/** A sentence of a profile can be long; a message of SNS holds 256 KB. */
const MAX_WHY = 10_000;

export interface AlertTopic {
    /** Publishes the event. Twice for one event is two messages with one `event_id`. @returns false where SNS will never take it @throws StorageError where it may later */
    publish(told: ToldEvent): Promise<boolean>;
}

/** A client of SNS; credentials come from where the SDK looks for them. */
export function createSnsClient(options: ClientOptions): SNSClient {
    return new SNSClient(clientConfig(options, 'SNS'));
}

export function openAlertTopic({
    client,
    topicArn,
    lake,
}: {
    client: Pick<SNSClient, 'send'>;
    topicArn: string;
    lake: string;
}): AlertTopic {
    return {
        async publish(told) {
            const words = wordsOf(told, lake);
            if (!words) {
                return true;
            }
            try {
                await translated(() => client.send(new PublishCommand({ TopicArn: topicArn, ...words })), {
                    doing: `publish to ${topicArn}`,
                });
                return true;
            } catch (error) {
                const code = error instanceof StorageError ? awsCodeOf(error.cause) : undefined;
                if (code === 'InvalidParameterException' || code === 'ParameterValueInvalid' || code === 'InvalidParameter') {
                    return false;
                }
                throw error;
            }
        },
    };
}

interface Words {
    Subject: string;
    Message: string;
    MessageAttributes: Record<string, MessageAttributeValue>;
}

/** What is said of an event; undefined for one that nobody is called for. */
function wordsOf({ id, atMs, event }: ToldEvent, lake: string): Words | undefined {
    const common = { event_id: id, at: timeOf(atMs) };
    switch (event.kind) {
        case 'raised':
        case 'cleared':
            return wordsOfAlert(event.alert, { lake, isRaised: event.kind === 'raised', common });
        case 'pipeline_late':
        case 'pipeline_on_time': {
            const isLate = event.kind === 'pipeline_late';
            const what = isLate ? 'latest state is late' : 'latest state is on time again';
            return {
                Subject: `${lake}: ${what}`,
                Message: [
                    `${isLate ? 'Latest state is late' : 'Latest state was late'} since ${timeOf(event.since_ms)}: ${event.why.slice(0, MAX_WHY)}.`,
                    isLate
                        ? 'Until it is on time nobody knows which devices are silent, and no silence is raised.'
                        : 'Silences are counted from now on.',
                    '',
                    `Lake ${lake}, event ${id}`,
                ].join('\n'),
                MessageAttributes: attributesOf({
                    ...common,
                    type: isLate ? 'pipeline.late' : 'pipeline.on_time',
                    severity: isLate ? 'critical' : 'info',
                }),
            };
        }
        default:
            return undefined;
    }
}

function wordsOfAlert(
    { id: alert, device, site, profile, rule, kind, severity, began_ms: beganMs, ended_ms: endedMs, worst, why }: LiveEpisode,
    { lake, isRaised, common }: { lake: string; isRaised: boolean; common: Record<string, string> },
): Words {
    const lines = [
        `${severity}: ${why.slice(0, MAX_WHY)}`,
        '',
        `Device ${device}, site ${site}, rule ${rule} of profile ${profile}`,
        `Began ${timeOf(beganMs)}${endedMs === null ? '' : `, ended ${timeOf(endedMs)}`}${worst === null ? '' : `, worst value ${worst}`}`,
        `Lake ${lake}, alert ${alert}, event ${common.event_id}`,
    ];
    const subject = `${lake}: ${isRaised ? severity : 'over'}: ${device} ${rule}`;
    return {
        Subject: subject.replace(/[^ -~]/g, '?').slice(0, MAX_SUBJECT),
        Message: lines.join('\n'),
        MessageAttributes: attributesOf({
            ...common,
            type: isRaised ? 'alert.raised' : 'alert.cleared',
            alert,
            kind,
            severity,
            device,
            site,
            rule,
        }),
    };
}

/** Texts as attributes; one without characters is none. */
function attributesOf(texts: Readonly<Record<string, string>>): Record<string, MessageAttributeValue> {
    return Object.fromEntries(
        Object.entries(texts)
            .filter(([, text]) => text !== '')
            .map(([name, text]) => [name, { DataType: 'String', StringValue: text }]),
    );
}

function timeOf(ms: number): string {
    return new Date(ms).toISOString();
}
