/** Words of devices and alerts with a sign before each: never a colour alone. */

export type DeviceState = 'online' | 'late' | 'silent' | 'unknown';

const STATES: Readonly<Record<DeviceState, { sign: string; meaning: string }>> = {
    online: { sign: '●', meaning: 'its next message is not due yet' },
    late: { sign: '◐', meaning: 'its message is due, and may still come' },
    silent: { sign: '○', meaning: 'its message should have come' },
    unknown: { sign: '?', meaning: 'nobody can tell: nothing came yet, or its profile names no interval' },
};

export const DEVICE_STATES = Object.keys(STATES) as DeviceState[];

export function StateMark({ state }: { state: DeviceState }) {
    const { sign, meaning } = STATES[state];
    return (
        <span class={`mark state-${state}`} title={meaning}>
            <span class="sign" aria-hidden="true">
                {sign}
            </span>
            {state}
        </span>
    );
}

const SEVERITIES: Readonly<Record<string, string>> = { info: 'i', warning: '!', critical: '‼' };

export function SeverityMark({ severity }: { severity: string }) {
    return (
        <span class={`mark severity-${severity}`}>
            <span class="sign" aria-hidden="true">
                {SEVERITIES[severity] ?? '·'}
            </span>
            {severity}
        </span>
    );
}
