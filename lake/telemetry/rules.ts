/** What of a profile is needed where its messages are not any more: for hours, episodes and latest state. */

export interface DerivingRules {
    /** Digits behind the point of a number metric, 0 to 9; undefined for texts and for metrics that the profile does not have. */
    digitsOf(metric: string): number | undefined;
    /** Two readings of a metric that are further apart are a gap: no area between them. Milliseconds. */
    gapLimitMs: number;
    /** How often a device reports, and how much later it may be; undefined where the profile does not say. Milliseconds. */
    dueEveryMs: number | undefined;
    graceMs: number;
    alerts: readonly AlertRule[];
}

/** A rule by which a device is in alert. */
export type AlertRule = ThresholdRule | MissingRule | SilenceRule | FenceRule;

interface RuleWords {
    /** Name, unique in the profile. */
    rule: string;
    severity: 'info' | 'warning' | 'critical';
    /** What to tell a person. */
    message: string;
}

/** A metric beyond a bound, until it is back behind another: `raise` and `clear` are inclusive and in units of 10^-9. */
export interface ThresholdRule extends RuleWords {
    is: 'threshold';
    metric: string;
    side: 'above' | 'below';
    raise: bigint;
    clear: bigint;
    /** How long it must be beyond without a break before it counts. Milliseconds. */
    holdForMs: number;
}

/** A metric that does not come though its device reports. */
export interface MissingRule extends RuleWords {
    is: 'missing';
    metric: string;
    /** Milliseconds since the metric's last reading. */
    afterMs: number;
}

/** A device that says nothing at all. */
export interface SilenceRule extends RuleWords {
    is: 'silent';
    /** Milliseconds since the device's last reading. */
    afterMs: number;
}

/** A position further from a point than `radiusM`, until it is back within `backM`. */
export interface FenceRule extends RuleWords {
    is: 'fence';
    /** Names of the metrics of the position, in degrees. */
    latitude: string;
    longitude: string;
    /** The fence's middle, in units of 10^-9 degrees. */
    latitudeUnits: bigint;
    longitudeUnits: bigint;
    radiusM: number;
    backM: number;
    holdForMs: number;
}
