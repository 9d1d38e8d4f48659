/** What the Lambdas measure of themselves. */
import type { MetricUnit } from '@aws-lambda-powertools/metrics';

/** Takes the metrics of one invocation, each value by itself. */
export interface MetricSink {
    addMetric(name: string, unit: (typeof MetricUnit)[keyof typeof MetricUnit], value: number): unknown;
}

/** The instant from which lag counts: of several uploads that wait for one thing, the one that waits longest. */
export function earliestOf(news: readonly { uploadedAt: Date }[]): Date {
    return new Date(Math.min(...news.map(({ uploadedAt }) => uploadedAt.getTime())));
}
