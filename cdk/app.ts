/** The CDK app: `npx cdk deploy`, `-c stage=prod` for another row of cdk/config.ts. */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundleGlueJobs } from './bundle-glue-jobs.ts';
import { bundleLambda } from './bundle-lambda.ts';
import { readStage } from './config.ts';
import { LakeStack } from './lake-stack.ts';

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
new LakeStack(app, {
    config: readStage(app.node.tryGetContext('stage')),
    code: {
        summarize: bundleLambda('summarize').folder,
        consolidate: bundleLambda('consolidate').folder,
        glueJobs: bundleGlueJobs(),
    },
    destroyData: app.node.tryGetContext('destroy-data'),
});
app.synth();
