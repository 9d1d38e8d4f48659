/** Names of registered devices beside their addresses. */
import { type PageState, usePage } from '../use-page.ts';
import { Link } from './link.tsx';

export interface NamedDevice {
    ip: string;
    site: string;
    device: string;
    profile: string;
    place: string | null;
    from: string | null;
    to: string | null;
}

/** The registered devices of the addresses. */
export function useDeviceNames(addresses: readonly string[]): PageState<{ devices: readonly NamedDevice[] }> {
    return usePage('addresses', { of: [...new Set(addresses)].sort().join(',') });
}

/** The devices of addresses at a site, in the addresses' order: links to them, nothing where none is registered or it is not known yet. */
export function DeviceNames({
    addresses,
    site,
    of,
}: {
    addresses: readonly string[];
    site: string;
    of: ReturnType<typeof useDeviceNames>;
}) {
    const devices = of.state === 'ready' ? of.data.devices : [];
    const names = addresses.map((address) => devices.filter((one) => one.ip === address && one.site === site).map(({ device }) => device));
    if (names.flat().length === 0) {
        return null;
    }
    return (
        <span class="device-names">
            {names.map((ofAddress, at) => (
                <span key={addresses[at]}>
                    {at > 0 && ' → '}
                    {ofAddress.length === 0
                        ? '?'
                        : [...new Set(ofAddress)].map((device) => (
                              <Link key={device} to="/device" query={{ id: device }}>
                                  {device}
                              </Link>
                          ))}
                </span>
            ))}
        </span>
    );
}
