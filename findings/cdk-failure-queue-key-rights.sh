#!/usr/bin/env bash
# aws-cdk-lib 2.276.0: a function that may only report failed batches to a queue with a key of one's own may decrypt, encrypt and re-encrypt with that key as well.
#
# `onFailure: new SqsDlq(queue)` of an event source lets the function's role send. With a key on the queue one expects what SQS's guide asks of a producer beside it,
# kms:GenerateDataKey and kms:Decrypt. The role gets kms:Encrypt, kms:ReEncrypt* and kms:GenerateDataKey* too, wildcards that a review of least privilege (cdk-nag: IAM5)
# then stops at. Without a key there is no such statement. A destination object of one's own,
# `{ bind: () => ({ destination: queue.queueArn }) }`, grants nothing, and sqs:SendMessage with the two actions by name does. Seen on 2026-11-30.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-fund --no-audit --prefix "$work" aws-cdk-lib@2.276.0 constructs@10.8.1

cat > synth.cjs <<'END_OF_SYNTH'
const { App, Stack, aws_kinesis: kinesis, aws_kms: kms, aws_lambda: lambda, aws_lambda_event_sources: sources, aws_sqs: sqs } = require('aws-cdk-lib');
const { Template } = require('aws-cdk-lib/assertions');

function actionsOf(name, { hasKey, onFailureOf }) {
    const stack = new Stack(new App(), 'lake');
    const key = hasKey ? new kms.Key(stack, 'key') : undefined;
    const queue = new sqs.Queue(stack, 'failed', { encryptionMasterKey: key });
    const reader = new lambda.Function(stack, 'reader', {
        runtime: lambda.Runtime.NODEJS_22_X,
        handler: 'index.handler',
        code: lambda.Code.fromInline('exports.handler = async () => ({ batchItemFailures: [] });'),
    });
    const stream = new kinesis.Stream(stack, 'stream', { encryption: kinesis.StreamEncryption.UNENCRYPTED });
    reader.addEventSource(
        new sources.KinesisEventSource(stream, { startingPosition: lambda.StartingPosition.TRIM_HORIZON, onFailure: onFailureOf(queue) }),
    );
    const policies = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'));
    const actions = policies
        .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
        .flatMap(({ Action }) => Action)
        .filter((action) => /^(kms|sqs):/.test(action));
    console.log(`${name}: ${[...new Set(actions)].sort().join(' ') || 'nothing'}`);
}

const usual = (queue) => new sources.SqsDlq(queue);
actionsOf('with a key', { hasKey: true, onFailureOf: usual });
actionsOf('without', { hasKey: false, onFailureOf: usual });
actionsOf('with a key, own destination', { hasKey: true, onFailureOf: (queue) => ({ bind: () => ({ destination: queue.queueArn }) }) });
END_OF_SYNTH

seen=$(node synth.cjs 2>/dev/null)
echo "$seen"
expected='with a key: kms:Decrypt kms:Encrypt kms:GenerateDataKey* kms:ReEncrypt* sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage
without: sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage
with a key, own destination: nothing'
if [ "$seen" != "$expected" ]; then
    echo "not as on 2026-11-30, when it was:"
    echo "$expected"
    exit 1
fi
