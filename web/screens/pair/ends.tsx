/** The two ends of the pair: what is registered at their addresses. */
import { type NamedDevice, useDeviceNames } from '../../parts/device-names.tsx';
import { Link } from '../../parts/link.tsx';
import { Answer } from '../../shell/answer.tsx';
import type { PairFound } from './pair-answer.ts';

export function Ends({ answer }: { answer: PairFound }) {
    const { src, dst, site, commands } = answer;
    const names = useDeviceNames([src, dst]);
    return (
        <section class="card" aria-labelledby="ends">
            <h2 id="ends">The devices</h2>
            <Answer of={names}>
                {({ devices }) => (
                    <dl class="ends">
                        {[...new Set([src, dst])].map((address, at) => (
                            <End
                                key={address}
                                address={address}
                                site={site}
                                devices={devices.filter(({ ip }) => ip === address)}
                                command={commands.register[at]}
                            />
                        ))}
                    </dl>
                )}
            </Answer>
        </section>
    );
}

function End({
    address,
    site,
    devices,
    command,
}: {
    address: string;
    site: string;
    devices: readonly NamedDevice[];
    command: string | undefined;
}) {
    const own = devices.filter((one) => one.site === site);
    const others = devices.filter((one) => one.site !== site);
    return (
        <div>
            <dt class="mono">{address}</dt>
            {own.map((one) => (
                <dd key={`${one.device} ${one.from}`}>
                    <Link to="/device" query={{ id: one.device }}>
                        {one.device}
                    </Link>
                    {one.place === null ? '' : `, ${one.place}`}, {sayDays(one)}
                </dd>
            ))}
            {own.length === 0 && (
                <dd>
                    No device at {site} is registered with this address. To give it a name: <code>{command}</code>
                </dd>
            )}
            {others.length > 0 && (
                <dd class="other">
                    At other sites the same address is of {[...new Set(others.map((one) => `${one.device} (${one.site})`))].join(', ')}.
                </dd>
            )}
            <dd>
                <Link to="/pairs" query={{ find: address, site }}>
                    All pairs of this address
                </Link>
            </dd>
        </div>
    );
}

function sayDays({ from, to }: NamedDevice): string {
    if (from === null && to === null) {
        return 'on all days';
    }
    return [from === null ? '' : `from ${from}`, to === null ? '' : `before ${to}`].filter((part) => part !== '').join(', ');
}
