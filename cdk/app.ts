/** The CDK app: `npx cdk deploy`, `-c stage=prod` for another row of cdk/config.ts. */
import { fileURLToPath } from 'node:url';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
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
        glueJobs: fileURLToPath(new URL('../glue-jobs', import.meta.url)),
    },
    destroyData: app.node.tryGetContext('destroy-data'),
});
app.synth();
