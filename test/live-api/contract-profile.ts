/** The profile of the devices that the contract of the API makes: a time in milliseconds, three metrics, one alert. */
export const CONTRACT_PROFILE = {
    name: 'api-contract',
    device: { path: 'id' },
    time: [{ path: 't', unit: 'ms' }, 'arrival'],
    metrics: [
        { name: 'temperature', path: 'temperature', unit: 'Cel', digits: 2 },
        // All digits that the lake has: more than a float can hold.
        { name: 'total', path: 'total', unit: 'kW.h', digits: 9, max: 1000000 },
        { name: 'mode', path: 'mode', kind: 'text' },
    ],
    dueEvery: '10m',
    grace: '5m',
    gapLimit: '1h',
    alerts: [
        {
            rule: 'hot',
            metric: 'temperature',
            above: { raise: 30, clear: 28 },
            severity: 'warning',
            message: 'It is too warm',
        },
    ],
} as const;
