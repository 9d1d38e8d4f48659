/** A stage whose row has `telemetry`: what is made for it, and what stays as it is. */
import { expect, test } from '@jest/globals';
import { ofType, synthesizeTelemetry } from './synthesized.ts';

const resources = synthesizeTelemetry();

test('the streams are on demand, keep messages for seven days and are encrypted', () => {
    const streams = ofType(resources, 'AWS::Kinesis::Stream').map(([, { Properties }]) => Properties);
    expect(streams.map(({ Name }) => Name)).toEqual(['flowlake-dev-telemetry', 'flowlake-dev-programs']);
    for (const stream of streams) {
        expect(stream).toMatchObject({
            RetentionPeriodHours: 7 * 24,
            StreamModeDetails: { StreamMode: 'ON_DEMAND' },
            StreamEncryption: { EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' },
        });
    }
});
