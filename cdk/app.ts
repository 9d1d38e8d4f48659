/** The CDK app: `npx cdk deploy`, `-c stage=prod` for another row of cdk/config.ts. */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundleGlueJobs } from './bundle-glue-jobs.ts';
import { bundleLambda, forTelemetryJobs } from './bundle-lambda.ts';
import { readStage } from './config.ts';
import { LakeStack } from './lake-stack.ts';

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
