/** The CDK app: `npx cdk deploy`, `-c stage=prod` for another row of cdk/config.ts. */
import process from 'node:process';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { UsageError } from '#lake/errors';
import { bundleGlueJobs } from './bundle-glue-jobs.ts';
import { bundleLambda, forTelemetryJobs } from './bundle-lambda.ts';
import { readStage } from './config.ts';
import { LakeStack } from './lake-stack.ts';

try {
    synthesize();
} catch (error) {
    if (!(error instanceof UsageError)) {
        throw error;
    }
    // One line: where in this program it was noticed helps nobody.
    process.stderr.write(`flowlake: ${error.message}\n`);
    // At once: the app would synthesize what there is of it at the end.
    process.exit(1);
}

function synthesize(): void {
    const app = new App();
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    const config = readStage(app.node.tryGetContext('stage'));
    new LakeStack(app, {
        config,
        code: {
            summarize: bundleLambda('summarize').folder,
            consolidate: bundleLambda('consolidate').folder,
            glueJobs: bundleGlueJobs(),
            telemetry: config.telemetry && forTelemetryJobs((job) => bundleLambda(job).folder),
        },
        destroyData: app.node.tryGetContext('destroy-data'),
    });
    app.synth();
}
