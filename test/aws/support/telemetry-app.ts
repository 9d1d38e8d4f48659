/** The CDK app of the tests of live telemetry: cdk/app.ts, with telemetry in the row of stage dev, as an operator writes it there. */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundleGlueJobs } from '#cdk/bundle-glue-jobs';
import { bundleLambda, forTelemetryJobs } from '#cdk/bundle-lambda';
import { readStage } from '#cdk/config';
import { LakeStack } from '#cdk/lake-stack';

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
new LakeStack(app, {
    config: { ...readStage('dev'), telemetry: { isOn: app.node.tryGetContext('off') === undefined, hasProgramStream: true } },
    code: {
        summarize: bundleLambda('summarize').folder,
        consolidate: bundleLambda('consolidate').folder,
        glueJobs: bundleGlueJobs(),
        telemetry: forTelemetryJobs((job) => bundleLambda(job).folder),
    },
});
app.synth();
