/** Who notes what in the index of chain objects, beside the chain's own functions: the function that summarizes, and people's `prune`. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { grantKey } from '../lake-key.ts';
import type { Part, PartProps } from './part.ts';

/** Lets `summarize` note what came of each chain object, and look at one item. */
export class Datasets extends Construct implements Part {
    readonly watched = [];
    readonly rules = [];
    readonly graphs = [];

    constructor(scope: Construct, id: string, { summarize, names, datasetsTable, key }: PartProps) {
        super(scope, id);
        summarize.lambda.addEnvironment('DATASETS_TABLE', names.datasetsTable);
        summarize.role.addToPolicy(
            new PolicyStatement({ actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], resources: [datasetsTable.tableArn] }),
        );
        grantKey(key, summarize.role);
    }
}
