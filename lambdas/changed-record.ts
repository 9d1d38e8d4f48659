/** A change of a table as Lambda hands it over, with values as the SDK has them: what comes is JSON, and bytes are base64 in it. */
import type { DynamoDBRecord } from 'aws-lambda';
import type { StreamRecord } from '#lake/cloud/state-events';
import type { StoredRecord } from '#lake/cloud/state-records';

export function changedRecord({ eventName, dynamodb }: DynamoDBRecord): StreamRecord {
    const image = Object.entries(dynamodb?.NewImage ?? {});
    return { eventName, dynamodb: { NewImage: Object.fromEntries(image.map(([name, value]) => [name, attributeOf(value)])) } };
}

/** The lake's tables hold texts, numbers and bytes. */
function attributeOf({ S, N, B }: { S?: string | undefined; N?: string | undefined; B?: string | undefined }): StoredRecord[string] {
    return S !== undefined ? { S } : N !== undefined ? { N } : { B: Buffer.from(B ?? '', 'base64') };
}
