/** The Lambdas: what they run on, what they are told, and the least that they may do. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { LambdaJob } from './bundle-lambda.ts';
import type { FunctionConfig, StageConfig } from './config.ts';
import type { WorkQueue } from './queues.ts';

/** Namespace in CloudWatch of the handlers' own metrics. */
export const METRICS_NAMESPACE = 'flowlake';

/** What becomes of logs when the stack goes, or lets go of what writes them: a stage that keeps its data keeps its logs, until they are `logDays` old. */
export function logPolicyOf({ isDataKept }: Pick<StageConfig, 'isDataKept'>): RemovalPolicy {
    return isDataKept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}

interface LakeFunctionProps {
    /** Name of everything that is the function's own. */
    job: LambdaJob;
    config: Pick<StageConfig, 'stage' | 'logDays' | 'isDataKept'>;
    /** Folder with the bundled `index.mjs`. */
    codeFolder: string;
    memoryMb: number;
    timeoutSeconds: number;
    environment: Record<string, string>;
    key?: Key | undefined;
    /** What people see while it fails. It becomes the alarm's text. */
    ifFailing: string;
}

/** A Lambda with a role and logs of its own, and nothing that it may do yet. */
export class LakeFunction extends Construct {
    readonly lambda: LambdaFunction;
    readonly role: Role;
    /** Dimensions of its own metrics; lambdas/environment.ts sets them. */
    readonly dimensions: { service: string; stage: string };
    readonly logGroupName: string;
    readonly ifFailing: string;

    constructor(scope: Construct, id: string, props: LakeFunctionProps) {
        super(scope, id);
        const { job, config, codeFolder, memoryMb, timeoutSeconds, environment, key, ifFailing } = props;
        this.ifFailing = ifFailing;
        this.dimensions = { service: job, stage: config.stage };
        this.logGroupName = `/flowlake/${config.stage}/${job}`;
        const logGroup = new LogGroup(this, 'logs', {
            logGroupName: this.logGroupName,
            retention: config.logDays,
            removalPolicy: logPolicyOf(config),
            ...(key && { encryptionKey: key }),
        });
        // The role has no policy of AWS's own: AWSLambdaBasicExecutionRole may write every log of the account.
        this.role = new Role(this, 'role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
        logGroup.grantWrite(this.role);
        this.lambda = new LambdaFunction(this, 'function', {
            functionName: `flowlake-${config.stage}-${job}`,
            description: `${job} of the lake flowlake-${config.stage}`,
            runtime: Runtime.NODEJS_24_X,
            architecture: Architecture.ARM_64,
            code: Code.fromAsset(codeFolder),
            handler: 'index.handler',
            role: this.role,
            memorySize: memoryMb,
            timeout: Duration.seconds(timeoutSeconds),
            logGroup,
            environment: {
                ...environment,
                STAGE: config.stage,
                POWERTOOLS_SERVICE_NAME: job,
                POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
                POWERTOOLS_LOG_LEVEL: 'INFO',
            },
        });
    }
}

interface WorkerProps extends Omit<LakeFunctionProps, 'memoryMb' | 'timeoutSeconds'> {
    job: 'summarize' | 'consolidate';
    config: StageConfig;
    /** Queue that its messages come from. */
    source: WorkQueue;
}

/** A function that takes its queue's messages and gives back only those that failed. */
export class Worker extends LakeFunction {
    constructor(scope: Construct, id: string, { source, ...props }: WorkerProps) {
        const { job, config } = props;
        const { memoryMb, timeoutSeconds } = config[job];
        const environment = { ...props.environment, MAX_TRIES: String(config[job].maxReceiveCount) };
        super(scope, id, { ...props, environment, memoryMb, timeoutSeconds });
        addQueueSource(this.lambda, source, config[job]);
    }
}

/** Has the function take the queue's messages, at once or after waiting for more of them, and only those come back that it names. */
export function addQueueSource(
    lambda: LambdaFunction,
    { queue }: WorkQueue,
    { batchSize, maxConcurrency, windowSeconds }: Pick<FunctionConfig, 'batchSize' | 'maxConcurrency'> & { windowSeconds?: number },
): void {
    const window = windowSeconds === undefined ? {} : { maxBatchingWindow: Duration.seconds(windowSeconds) };
    lambda.addEventSource(new SqsEventSource(queue, { batchSize, maxConcurrency, ...window, reportBatchItemFailures: true }));
}
