/** The budget of a stage: who is told when its bill grows beyond what its row says. */
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { Construct } from 'constructs';
import { DEPLOYMENT_TAGS } from '#lake/deployment';
import { UsageError } from '#lake/errors';
import type { StageConfig } from './config.ts';

/** Shares of the budget at which somebody is told: what is spent, and what the month will come to. */
const TOLD_AT = [
    { notificationType: 'ACTUAL', threshold: 80 },
    { notificationType: 'FORECASTED', threshold: 100 },
] as const;

/**
 * Has AWS tell of the stage's costs, of all that has its tag. The tag must be active for costs: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/activating-tags.html
 * @throws UsageError where the row has a budget and nobody to tell
 */
export function createBudget(scope: Construct, { stage, monthlyBudgetUsd, alarmEmail, alarmTopicArns = [] }: StageConfig): void {
    if (monthlyBudgetUsd === undefined) {
        return;
    }
    const subscribers = [
        ...(alarmEmail === undefined ? [] : [{ subscriptionType: 'EMAIL', address: alarmEmail }]),
        // Budgets take one topic: https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
        ...alarmTopicArns.slice(0, 1).map((address) => ({ subscriptionType: 'SNS', address })),
    ];
    if (subscribers.length === 0) {
        throw new UsageError(`Stage ${stage} has monthlyBudgetUsd and nobody to tell: give its row alarmEmail, or alarmTopicArns`);
    }
    new CfnBudget(scope, 'budget', {
        budget: {
            budgetName: `flowlake-${stage}`,
            budgetType: 'COST',
            timeUnit: 'MONTHLY',
            budgetLimit: { amount: monthlyBudgetUsd, unit: 'USD' },
            costFilters: { TagKeyValue: [`user:${DEPLOYMENT_TAGS.stage}$${stage}`] },
        },
        notificationsWithSubscribers: TOLD_AT.map((at) => ({
            notification: { ...at, comparisonOperator: 'GREATER_THAN', thresholdType: 'PERCENTAGE' },
            subscribers,
        })),
    });
}
