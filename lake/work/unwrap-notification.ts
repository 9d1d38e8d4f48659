/** Takes a message out of what a topic of SNS wraps around it. */

/** Topics may hand on to topics; nobody does so more often. */
const MAX_WRAPS = 3;

/**
 * The JSON value of a message, out of the notification of SNS that it came in, if it did: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
 * @throws SyntaxError for what is no JSON. @throws Error for what SNS asks of a person
 */
export function unwrapNotification(body: string): unknown {
    let message: unknown = JSON.parse(body);
    for (let wraps = 0; wraps < MAX_WRAPS && isWrapped(message); wraps += 1) {
        message = JSON.parse(message.Message);
    }
    if (typeof message === 'object' && message !== null && 'Type' in message && message.Type === 'SubscriptionConfirmation') {
        const topic = 'TopicArn' in message ? message.TopicArn : 'a topic';
        throw new Error(
            `${topic} asks whether this queue is its subscriber: confirm it by the SubscribeURL of the message (flowlake dead-letters show)`,
        );
    }
    return message;
}

function isWrapped(message: unknown): message is { Message: string } {
    return (
        typeof message === 'object' &&
        message !== null &&
        'Type' in message &&
        message.Type === 'Notification' &&
        'TopicArn' in message &&
        'Message' in message &&
        typeof message.Message === 'string'
    );
}
